import { badRequest } from "../../base/errors.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { describeKey } from "./describe-key.ts";
import { COMMON } from "./fields.ts";
import { materialRemoval } from "./material.ts";
import { refuseSoftDeleted, type TransitMount } from "./mount.ts";
import { changeKey, type KeyRecord } from "./record.ts";
import { rotateKey } from "./rotation.ts";

const NOT_FOUND = "key not found";

/** `keys/:name/rotate`, `trim`, `soft-delete` and `soft-delete-restore`. @see reference: transit, key paths. */
export function lifePaths(mount: TransitMount): PathSpec[] {
  return [rotatePath(mount), trimPath(mount), softDeletePath(mount), softRestorePath(mount)];
}

function rotatePath(mount: TransitMount): PathSpec {
  return path({
    pattern: "keys/:name/rotate",
    fields: { name: COMMON.name },
    help: {
      synopsis: "Make a new version of a key.",
      description: "What was encrypted before can still be decrypted, and be encrypted anew with rewrap.",
    },
    operations: {
      update: {
        summary: "Make a new version.",
        handler: async ({ values: { name } }) => {
          await rotateKey(mount, name);
          return { data: await describeKey(mount, await mount.keyFor(name, NOT_FOUND)) };
        },
      },
    },
  });
}

function trimPath(mount: TransitMount): PathSpec {
  return path({
    pattern: "keys/:name/trim",
    fields: {
      name: COMMON.name,
      min_available_version: field.int({ description: "The first version that stays.", required: true }),
    },
    help: { synopsis: "Remove old versions of a key for good." },
    operations: {
      update: {
        summary: "Remove old versions.",
        handler: async ({ values: { name }, given }) => {
          await trim(mount, name, given.min_available_version);
          return { data: await describeKey(mount, await mount.keyFor(name, NOT_FOUND)) };
        },
      },
    },
  });
}

async function trim({ context }: TransitMount, name: string, wanted: number | undefined): Promise<void> {
  await changeKey(context.storage, name, NOT_FOUND, (key) => {
    refuseSoftDeleted(key);
    const { record } = key;
    const first = checkTrim(record, wanted);
    const also = [];
    for (let number = Math.max(record.minAvailableVersion, 1); number < first; number += 1) {
      also.push(materialRemoval(record.id, number));
    }
    const trimmed = { ...record, minAvailableVersion: first, revision: record.revision + 1 };
    return { record: trimmed, also, result: undefined };
  });
}

/** @throws ApiError 400 with Vault's texts, its spelling included. */
function checkTrim(record: KeyRecord, wanted: number | undefined): number {
  if (wanted === undefined) throw badRequest("missing min_available_version");
  const { minEncryptionVersion, minDecryptionVersion, minAvailableVersion } = record;
  const refusals: readonly (readonly [boolean, string])[] = [
    [wanted < 0, "minimum available version cannot be negative"],
    [wanted === 0, "minimum available version should be positive"],
    [
      minEncryptionVersion === 0,
      "minimum available version cannot be set when minimum encryption version is not set",
    ],
    [
      minDecryptionVersion === 0,
      "minimum available version cannot be set when minimum decryption version is not set",
    ],
    [
      wanted > minEncryptionVersion,
      "minimum available version cannot be greater than minmum encryption version",
    ],
    [
      wanted > minDecryptionVersion,
      "minimum available version cannot be greater than minimum decryption version",
    ],
    [wanted < minAvailableVersion, "minimum available version cannot be decremented"],
  ];
  const refusal = refusals.find(([applies]) => applies);
  if (refusal !== undefined) throw badRequest(refusal[1]);
  return wanted;
}

function softDeletePath({ context: { storage } }: TransitMount): PathSpec {
  return path({
    pattern: "keys/:name/soft-delete",
    fields: { name: COMMON.name },
    help: { synopsis: "Put a key out of use, until it is restored." },
    operations: {
      delete: {
        summary: "Put the key out of use.",
        handler: async ({ values: { name } }) => {
          await changeKey(storage, name, NOT_FOUND, ({ record }) => {
            return { record: { ...record, softDeleted: true }, result: undefined };
          });
          return undefined;
        },
      },
    },
  });
}

function softRestorePath({ context: { storage } }: TransitMount): PathSpec {
  return path({
    pattern: "keys/:name/soft-delete-restore",
    fields: { name: COMMON.name },
    help: { synopsis: "Take a key into use again." },
    operations: {
      update: {
        summary: "Take the key into use again.",
        handler: async ({ values: { name } }) => {
          await changeKey(storage, name, NOT_FOUND, ({ record }) => {
            if (!record.softDeleted) throw badRequest(`key "${name}" is not soft-deleted`);
            return { record: { ...record, softDeleted: false }, result: undefined };
          });
          return undefined;
        },
      },
    },
  });
}
