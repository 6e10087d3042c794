import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { type Item, readItems, runBatch } from "./batch.ts";
import { MISSING_CIPHERTEXT, NO_ENCRYPTION_KEY } from "./decrypt-path.ts";
import { type Circumstances, decrypt, encrypt } from "./encryption.ts";
import { COMMON } from "./fields.ts";
import type { TransitMount } from "./mount.ts";
import type { StoredKey } from "./record.ts";

const FIELDS = {
  name: COMMON.name,
  ciphertext: field.string({ description: "What to encrypt anew, with its prefix." }),
  context: COMMON.context,
  key_version: COMMON.key_version,
  nonce: COMMON.nonce,
  decrypt_padding_scheme: field.string({ description: "Of RSA keys: oaep (the default) or pkcs1v15." }),
  encrypt_padding_scheme: field.string({ description: "Of RSA keys: oaep (the default) or pkcs1v15." }),
  batch_input: COMMON.batch_input,
};

/** `rewrap/:name`. @see reference: transit, rewrap. */
export function rewrapPath(mount: TransitMount): PathSpec {
  return path({
    pattern: "rewrap/:name",
    fields: FIELDS,
    help: {
      synopsis: "Encrypt a ciphertext anew with a later version of its key.",
      description: "The plaintext is not shown, so a caller needs no right to decrypt.",
    },
    operations: {
      update: {
        summary: "Encrypt anew.",
        handler: async ({ values, given }) => {
          const { batch_input: batch } = given;
          const items =
            batch === undefined
              ? null
              : readItems(batch, { name: "ciphertext", missing: MISSING_CIPHERTEXT });
          if (items === null && values.ciphertext === "") throw badRequest(MISSING_CIPHERTEXT);
          const key = await mount.keyFor(values.name, NO_ENCRYPTION_KEY);
          if (items === null) return { data: await rewrapItem(mount, key, values) };
          return runBatch(items, 0, (item) => rewrapItem(mount, key, item));
        },
      },
    },
  });
}

async function rewrapItem(mount: TransitMount, key: StoredKey, item: Item): Promise<JsonObject> {
  const { ciphertext = "", context, nonce, key_version: wanted = 0 } = item;
  if (ciphertext === "") throw badRequest(MISSING_CIPHERTEXT);
  const base = { context, nonce };
  const plaintext = await decrypt(
    mount,
    key,
    ciphertext,
    defined({ ...base, padding_scheme: item.decrypt_padding_scheme }),
  );
  const made = await encrypt(
    mount,
    key,
    plaintext,
    wanted,
    defined({ ...base, padding_scheme: item.encrypt_padding_scheme }),
  );
  return { ciphertext: made.ciphertext, key_version: made.version };
}

/** Without the parts that are not there. */
function defined(
  parts: Readonly<Record<keyof Omit<Circumstances, "associated_data">, string | undefined>>,
): Circumstances {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}
