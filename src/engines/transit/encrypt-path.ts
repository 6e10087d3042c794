import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type EngineRequest, type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { type Item, readItems, runBatch } from "./batch.ts";
import { createKey, keyTypeNamed, PLAIN_KEY } from "./create-key.ts";
import { encrypt } from "./encryption.ts";
import { COMMON, decoded } from "./fields.ts";
import { KEY_TYPE_DEFAULT } from "./key-types.ts";
import type { TransitMount } from "./mount.ts";
import { refuseSoftDeleted } from "./mount.ts";
import { readKey, type StoredKey } from "./record.ts";
import { isUpsertDisabled } from "./settings.ts";

const FIELDS = {
  name: COMMON.name,
  plaintext: field.string({ description: "Base64 of what to encrypt.", sensitive: true }),
  context: COMMON.context,
  key_version: COMMON.key_version,
  associated_data: COMMON.associated_data,
  nonce: COMMON.nonce,
  padding_scheme: field.string({ description: "Of RSA keys: oaep (the default) or pkcs1v15." }),
  type: field.string({
    description: "What kind of key to make when there is none of that name.",
    default: KEY_TYPE_DEFAULT,
  }),
  convergent_encryption: field.bool({ description: "Whether a key that is made is convergent." }),
  batch_input: COMMON.batch_input,
  partial_failure_response_code: COMMON.partial_failure_response_code,
};

type Request = EngineRequest<typeof FIELDS>;

const MISSING_PLAINTEXT = "missing plaintext to encrypt";

/** `encrypt/:name`. @see reference: transit, encrypt. */
export function encryptPath(mount: TransitMount): PathSpec {
  const { storage } = mount.context;
  return path({
    pattern: "encrypt/:name",
    fields: FIELDS,
    help: {
      synopsis: "Encrypt a plaintext, or a batch of them.",
      description: "Where the caller may create, a key that is not there yet is made.",
    },
    exists: async ({ values }) => (await readKey(storage, values.name)) !== null,
    operations: {
      update: { summary: "Encrypt.", handler: (request) => handle(mount, request) },
    },
  });
}

async function handle(mount: TransitMount, { values, given, operation }: Request): Promise<Reply> {
  const { batch_input: batch, partial_failure_response_code: partialStatus } = given;
  if (batch === undefined) {
    if (given.plaintext === undefined) throw badRequest(MISSING_PLAINTEXT);
    // Before a key is made for it.
    decodedPlaintext(given.plaintext);
    const key = await keyToUse(mount, values, operation, [values]);
    return { data: await encryptItem(mount, key, values) };
  }
  const items = readItems(batch, { name: "plaintext", missing: MISSING_PLAINTEXT });
  const key = await keyToUse(mount, values, operation, items);
  return runBatch(items, partialStatus ?? 0, (item) => encryptItem(mount, key, item));
}

function decodedPlaintext(plaintext: string): Buffer {
  return decoded(plaintext, "failed to base64-decode plaintext");
}

async function encryptItem(mount: TransitMount, key: StoredKey, item: Item): Promise<JsonObject> {
  const plaintext = decodedPlaintext(item.plaintext ?? "");
  const { ciphertext, version } = await encrypt(mount, key, plaintext, item.key_version ?? 0, item);
  return { ciphertext, key_version: version };
}

/** The key; one that is not there is made, derived when the items have a context. */
async function keyToUse(
  { context }: TransitMount,
  values: Request["values"],
  operation: Request["operation"],
  items: readonly Item[],
): Promise<StoredKey> {
  const { name, type, convergent_encryption: convergent } = values;
  if (operation === "create") return makeKey();
  const key = await readKey(context.storage, name);
  // Deleted since it was looked for: the caller was let through for an update.
  if (key === null) throw badRequest("encryption key not found");
  refuseSoftDeleted(key);
  return key;

  async function makeKey(): Promise<StoredKey> {
    if (await isUpsertDisabled(context.storage)) throw badRequest("encryption key not found");
    const derived = items.some((item) => item.context !== undefined && item.context !== "");
    if (convergent && !derived) {
      throw badRequest("convergent encryption requires derivation to be enabled, so context is required");
    }
    if (keyTypeNamed(type).family !== "aead") {
      throw badRequest(`key type ${type} not supported for this operation`);
    }
    const made = await createKey(context, name, { ...PLAIN_KEY, type, derived, convergent });
    refuseSoftDeleted(made.key);
    return made.key;
  }
}
