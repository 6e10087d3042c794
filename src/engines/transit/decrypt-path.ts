import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { type Item, readItems, runBatch } from "./batch.ts";
import { decrypt } from "./encryption.ts";
import { COMMON } from "./fields.ts";
import type { TransitMount } from "./mount.ts";
import type { StoredKey } from "./record.ts";

const FIELDS = {
  name: COMMON.name,
  ciphertext: field.string({ description: "What to decrypt, with its prefix: vault:v1:…" }),
  context: COMMON.context,
  associated_data: COMMON.associated_data,
  nonce: COMMON.nonce,
  padding_scheme: field.string({ description: "Of RSA keys: oaep (the default) or pkcs1v15." }),
  batch_input: COMMON.batch_input,
  partial_failure_response_code: COMMON.partial_failure_response_code,
};

export const MISSING_CIPHERTEXT = "missing ciphertext to decrypt";
export const NO_ENCRYPTION_KEY = "encryption key not found";

/** `decrypt/:name`. @see reference: transit, decrypt. */
export function decryptPath(mount: TransitMount): PathSpec {
  return path({
    pattern: "decrypt/:name",
    fields: FIELDS,
    help: { synopsis: "Decrypt a ciphertext, or a batch of them." },
    operations: {
      update: {
        summary: "Decrypt.",
        handler: async ({ values, given }) => {
          const { batch_input: batch, partial_failure_response_code: partialStatus = 0 } = given;
          const items =
            batch === undefined
              ? null
              : readItems(batch, { name: "ciphertext", missing: MISSING_CIPHERTEXT });
          if (items === null && values.ciphertext === "") throw badRequest(MISSING_CIPHERTEXT);
          const key = await mount.keyFor(values.name, NO_ENCRYPTION_KEY);
          if (items === null) return { data: await decryptItem(mount, key, values) };
          return runBatch(items, partialStatus, (item) => decryptItem(mount, key, item));
        },
      },
    },
  });
}

async function decryptItem(mount: TransitMount, key: StoredKey, item: Item): Promise<JsonObject> {
  if (item.ciphertext === undefined || item.ciphertext === "") throw badRequest(MISSING_CIPHERTEXT);
  const plaintext = await decrypt(mount, key, item.ciphertext, item);
  return { plaintext: plaintext.toString("base64") };
}
