import { badRequest } from "../../base/errors.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { NO_ENCRYPTION_KEY } from "./decrypt-path.ts";
import { encrypt } from "./encryption.ts";
import { COMMON } from "./fields.ts";
import type { TransitMount } from "./mount.ts";

const BITS: ReadonlySet<number> = new Set([128, 256, 512]);

/** `datakey/:plaintext/:name`. @see reference: transit, datakey. */
export function datakeyPath(mount: TransitMount): PathSpec {
  return path({
    pattern: "datakey/:plaintext/:name",
    fields: {
      plaintext: field.string({
        description: "plaintext to show the new key as well, wrapped to show it encrypted only.",
      }),
      name: COMMON.name,
      bits: field.int({ description: "128, 256 or 512.", default: 256, allowed: [128, 256, 512] }),
      context: COMMON.context,
      key_version: COMMON.key_version,
      associated_data: COMMON.associated_data,
      nonce: COMMON.nonce,
      padding_scheme: field.string({ description: "Of RSA keys: oaep (the default) or pkcs1v15." }),
    },
    help: {
      synopsis: "Make a key for use outside, and encrypt it.",
      description: "It is stored nowhere: whoever keeps the ciphertext can have it decrypted.",
    },
    operations: {
      update: {
        summary: "Make a key.",
        handler: async ({ values }) => {
          const { plaintext: form, bits } = values;
          if (form !== "plaintext" && form !== "wrapped") {
            throw badRequest("Invalid path, must be 'plaintext' or 'wrapped'");
          }
          if (!BITS.has(bits)) throw badRequest("invalid bit length");
          const key = await mount.keyFor(values.name, NO_ENCRYPTION_KEY);
          const dataKey = Buffer.from(mount.context.random.bytes(bits / 8));
          const { ciphertext, version } = await encrypt(mount, key, dataKey, values.key_version, values);
          const shown = form === "plaintext" ? { plaintext: dataKey.toString("base64") } : {};
          return { data: { ciphertext, key_version: version, ...shown } };
        },
      },
    },
  });
}
