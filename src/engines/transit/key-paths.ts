import { badRequest } from "../../base/errors.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field, type Values } from "../../framework/field.ts";
import { PAGE_FIELDS, pageOf } from "../../framework/list-page.ts";
import { createKey, type NewKey } from "./create-key.ts";
import { describeKey } from "./describe-key.ts";
import { COMMON, decodedContext } from "./fields.ts";
import { KEY_TYPE_DEFAULT, KEY_TYPE_NAMES } from "./key-types.ts";
import { materialRemoval } from "./material.ts";
import type { TransitMount } from "./mount.ts";
import { changeKey, listKeys, readKey } from "./record.ts";

const FIELDS = {
  name: COMMON.name,
  type: field.string({
    description: "What kind of key to make.",
    default: KEY_TYPE_DEFAULT,
    allowed: KEY_TYPE_NAMES,
  }),
  derived: field.bool({ description: "Derive a key of its own for each context that requests give." }),
  convergent_encryption: field.bool({
    description: "The same plaintext under the same context gives the same ciphertext. For derived keys.",
  }),
  exportable: field.bool({ description: "Let the key be exported. Cannot be switched off again." }),
  allow_plaintext_backup: field.bool({
    description: "Let the key be backed up in plaintext. Cannot be switched off again.",
  }),
  context: COMMON.context,
  auto_rotate_period: field.duration({
    description: "After how long a new version is made by itself; 0 for never, else at least an hour.",
    default: 0,
  }),
  key_size: field.int({ description: "Bytes of a key of type hmac, 32 to 512; 0 for 32.", default: 0 }),
};

/** `keys` and `keys/:name`. @see reference: transit, key paths. */
export function keyPaths(mount: TransitMount): PathSpec[] {
  return [listPath(mount), keyPath(mount)];
}

function listPath({ context }: TransitMount): PathSpec {
  return path({
    pattern: "keys",
    fields: PAGE_FIELDS,
    help: { synopsis: "List the keys." },
    operations: {
      list: {
        summary: "List the keys.",
        handler: async ({ values }) => ({ data: { keys: pageOf(await listKeys(context.storage), values) } }),
      },
    },
  });
}

function keyPath(mount: TransitMount): PathSpec {
  const { context } = mount;
  return path({
    pattern: "keys/:name",
    fields: FIELDS,
    help: {
      synopsis: "Make, show or delete a key.",
      description:
        "A key that is there already stays as it is. What of it can be changed is at keys/:name/config.",
    },
    operations: {
      read: {
        summary: "Show a key, without its secret parts.",
        handler: async ({ values }) => {
          const key = await readKey(context.storage, values.name);
          if (key === null) return undefined;
          return { data: await describeKey(mount, key, decodedContext(values.context)) };
        },
      },
      update: {
        summary: "Make a key.",
        handler: async ({ values }) => {
          const { key, isNew } = await createKey(context, values.name, newKeyOf(values));
          const warnings = isNew ? [] : [`key ${values.name} already existed`];
          return { data: await describeKey(mount, key), warnings };
        },
      },
      delete: {
        summary:
          "Delete a key for which that is allowed: nothing that it encrypted can be decrypted any more.",
        handler: async ({ values }) => {
          await deleteKey(mount, values.name);
          return undefined;
        },
      },
    },
  });
}

function newKeyOf(values: Values<typeof FIELDS>): NewKey {
  return {
    type: values.type,
    keySize: values.key_size,
    derived: values.derived,
    convergent: values.convergent_encryption,
    exportable: values.exportable,
    allowPlaintextBackup: values.allow_plaintext_backup,
    autoRotateSeconds: values.auto_rotate_period,
  };
}

async function deleteKey({ context: { storage } }: TransitMount, name: string): Promise<void> {
  const refused = (why: string): string => `error deleting policy ${name}: ${why}`;
  await changeKey(storage, name, refused("could not delete key; not found"), ({ record }) => {
    if (!record.deletionAllowed) throw badRequest(refused("deletion is not allowed for this key"));
    const removals = [];
    for (let number = Math.max(record.minAvailableVersion, 1); number <= record.latestVersion; number += 1) {
      removals.push(materialRemoval(record.id, number));
    }
    return { record: null, also: removals, result: undefined };
  });
}
