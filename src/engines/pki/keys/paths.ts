import { badRequest } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { randomUuid } from "../../../base/random.ts";
import { type MountContext, type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import { field } from "../../../framework/field.ts";
import { PAGE_FIELDS, pageOf } from "../../../framework/list-page.ts";
import { checkKeyName, newKey, withKey } from "../issuers/add.ts";
import { changeCas } from "../issuers/change.ts";
import { type KeyRecord, readAuthority, readKeys } from "../issuers/record.ts";
import { findKey } from "../issuers/resolve.ts";
import { checkKeyKind } from "../roles/check.ts";
import { generateKey, keyIdOf, keyKind, privateKeyPem } from "../x509/keys.ts";

const REF = {
  key_ref: field.string({ description: "The key: its id, its name, or default.", default: "default" }),
};

const GENERATE_FIELDS = {
  key_type: field.string({
    description: "The key's type.",
    default: "rsa",
    allowed: ["rsa", "ec", "ed25519"],
  }),
  key_bits: field.int({ description: "The key's size; 0: 2048 for rsa, 256 for ec.", default: 0 }),
  key_name: field.string({ description: "A name for the key." }),
};

/** `keys`, `key/:key_ref` and `keys/generate/…`. @see reference: keys. */
export function keyPaths(context: MountContext): PathSpec[] {
  return [listPath(context), keyPath(context), generatePath(context, false), generatePath(context, true)];
}

function listPath({ storage }: MountContext): PathSpec {
  return path({
    pattern: "keys",
    fields: PAGE_FIELDS,
    help: { synopsis: "List the keys." },
    operations: {
      list: {
        summary: "List the keys.",
        handler: async ({ values }) => {
          const [keys, { authority }] = await Promise.all([readKeys(storage), readAuthority(storage)]);
          const names = new Map(keys.map(({ id, name }) => [id, name]));
          const ids = pageOf([...names.keys()].sort(), values);
          const info: Record<string, JsonObject> = {};
          for (const id of ids) {
            info[id] = { is_default: id === authority.defaultKey, key_name: names.get(id) ?? "" };
          }
          return { data: { keys: ids, key_info: info } };
        },
      },
    },
  });
}

function keyPath(context: MountContext): PathSpec {
  return path({
    pattern: "key/:key_ref",
    fields: { ...REF, key_name: field.string({ description: "The key's name." }) },
    help: { synopsis: "Show, rename or delete a key. It itself is never shown." },
    operations: {
      read: {
        summary: "Show a key.",
        handler: async ({ values }) => {
          const key = await requireKey(context, values.key_ref);
          const subjectKeyId = keyIdOf(Buffer.from(key.publicKey, "base64")).toString("hex");
          return {
            data: { ...describe(key), subject_key_id: subjectKeyId.match(/../g)?.join(":") ?? "" },
          };
        },
      },
      update: {
        summary: "Rename a key.",
        handler: async ({ values }) => {
          const { id } = await requireKey(context, values.key_ref);
          const key = await changeCas(context, (present) => {
            checkKeyName(present, values.key_name, id);
            const keys = present.keys.map((one) => (one.id === id ? { ...one, name: values.key_name } : one));
            return { set: { ...present, keys }, result: keys.find((one) => one.id === id) };
          });
          if (key === undefined) throw badRequest(`unable to find PKI key for reference: ${values.key_ref}`);
          return { data: describe(key) };
        },
      },
      delete: {
        summary: "Delete a key that no issuer needs.",
        handler: async ({ values }) => remove(context, values.key_ref),
      },
    },
  });
}

async function remove(context: MountContext, ref: string): Promise<Reply | undefined> {
  const key = await findKey(context.storage, ref);
  if (key === null) return undefined;
  const wasDefault = await changeCas(context, (present) => {
    const user = present.issuers.find(({ keyId }) => keyId === key.id);
    if (user !== undefined) throw badRequest(`Failed to Delete Key.  Key in Use by Issuer: ${user.id}`);
    return {
      set: { ...present, keys: present.keys.filter(({ id }) => id !== key.id) },
      result: present.defaultKey === key.id,
    };
  });
  if (!wasDefault) return undefined;
  return {
    warnings: [`Deleted key ${key.id} (via key_ref ${ref}); this was configured as the default key.`],
  };
}

async function requireKey({ storage }: MountContext, ref: string): Promise<KeyRecord> {
  const key = await findKey(storage, ref);
  if (key === null) throw badRequest(`unable to find PKI key for reference: ${ref}`);
  return key;
}

function describe({ id, name, type }: KeyRecord): JsonObject {
  return { key_id: id, key_name: name, key_type: type };
}

function generatePath(context: MountContext, isShown: boolean): PathSpec {
  const { random } = context;
  return path({
    pattern: `keys/generate/${isShown ? "exported" : "internal"}`,
    fields: GENERATE_FIELDS,
    help: { synopsis: isShown ? "Make a key, and show it once." : "Make a key that is never shown." },
    operations: {
      update: {
        summary: "Make a key.",
        handler: async ({ values }) => {
          checkKeyKind(values.key_type === "any" ? "" : values.key_type, values.key_bits);
          const key = await generateKey(keyKind(values.key_type, values.key_bits));
          const record = newKey(randomUuid(random), values.key_name, key);
          await changeCas(context, (present) => {
            checkKeyName(present, record.name);
            return { set: withKey(present, record), result: null };
          });
          const shown = isShown ? { private_key: privateKeyPem(key, "native") } : {};
          return { data: { ...describe(record), ...shown } };
        },
      },
    },
  });
}
