import { createPublicKey } from "node:crypto";
import { decodeBase64 } from "../../base/base64.ts";
import { badRequest, hasCode } from "../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject, parseJson } from "../../base/json.ts";
import { randomUuid } from "../../base/random.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { NAME } from "../../framework/path-match.ts";
import type { EngineWrite } from "../../framework/storage.ts";
import { isHmacKeySize } from "./create-key.ts";
import { COMMON } from "./fields.ts";
import { findKeyType, HMAC_KEY_BYTES_MIN, type KeyType } from "./key-types.ts";
import { fitsType, type MaterialRecord, materialRemoval, materialWrite } from "./material.ts";
import { refuseSoftDeleted, type TransitMount } from "./mount.ts";
import { changeKey, type KeyRecord, keyWrite, readKey } from "./record.ts";
import { KeyVersion } from "./versions.ts";

/** What a backup holds: base64 of the JSON of this. */
interface Backup {
  readonly policy: { readonly v: 1; readonly name: string; readonly record: KeyRecord };
  readonly archived_keys: { readonly keys: Readonly<Record<string, MaterialRecord>> };
}

/** `backup/:name` and `restore`. @see reference: transit, key paths. */
export function backupPaths(mount: TransitMount): PathSpec[] {
  return [backupPath(mount), restorePath(mount, "restore"), restorePath(mount, "restore/:name")];
}

function backupPath(mount: TransitMount): PathSpec {
  const { storage, clock } = mount.context;
  return path({
    pattern: "backup/:name",
    fields: { name: COMMON.name },
    help: {
      synopsis: "Show everything of a key in plaintext, where that is allowed, to be restored elsewhere.",
    },
    operations: {
      read: {
        summary: "Back up a key.",
        handler: async ({ values: { name } }) => {
          if ((await readKey(storage, name)) === null) return undefined;
          const made = await changeKey(storage, name, "key not found", async (key) => {
            refuseSoftDeleted(key);
            if (!key.record.exportable) throw badRequest("exporting is disallowed on the policy");
            if (!key.record.allowPlaintextBackup) {
              throw badRequest("plaintext backup is disallowed on the policy");
            }
            const record: KeyRecord = {
              ...key.record,
              backup: { at: clock.now(), version: key.record.latestVersion },
            };
            const keys: Record<string, MaterialRecord> = {};
            for (let number = firstVersion(record); number <= record.latestVersion; number += 1) {
              keys[String(number)] = (await mount.versions.get(key, number)).material;
            }
            const backup: Backup = { policy: { v: 1, name, record }, archived_keys: { keys } };
            return { record, result: JSON.stringify(backup) };
          });
          return { data: { backup: Buffer.from(made).toString("base64") } };
        },
      },
    },
  });
}

function firstVersion({ minAvailableVersion }: KeyRecord): number {
  return Math.max(minAvailableVersion, 1);
}

function restorePath(mount: TransitMount, pattern: string): PathSpec {
  return path({
    pattern,
    fields: {
      backup: field.string({ description: "What backup gave.", required: true, sensitive: true }),
      name: field.string({ description: "Restore it under this name." }),
      force: field.bool({ description: "Replace a key of that name.", default: false }),
    },
    help: { synopsis: "Restore a key from a backup." },
    operations: {
      update: {
        summary: "Restore a key.",
        handler: async ({ values: { backup, name, force } }) => {
          if (backup === "") throw badRequest("'backup' must be supplied");
          await restore(mount, readBackup(backup), name, force);
          return undefined;
        },
      },
    },
  });
}

async function restore(
  { context }: TransitMount,
  { policy, archived_keys: { keys } }: Backup,
  asName: string,
  force: boolean,
): Promise<void> {
  const { storage, clock, random } = context;
  const name = asName === "" ? policy.name : asName;
  if (name.includes("/")) throw badRequest("key names cannot be paths");
  if (!NAME.test(name)) throw badRequest(`${JSON.stringify(name)} is no name for a key`);
  const present = await readKey(storage, name);
  const taken = badRequest(`key "${name}" already exists`);
  if (present !== null && !force) throw taken;
  const record: KeyRecord = {
    ...policy.record,
    id: randomUuid(random),
    restore: { at: clock.now(), version: policy.record.latestVersion },
  };
  const writes: EngineWrite[] = [keyWrite(name, record, present?.version ?? 0)];
  for (const [number, material] of Object.entries(keys)) {
    writes.push(materialWrite(record.id, Number(number), material));
  }
  for (
    let number = firstVersion(present?.record ?? record);
    number <= (present?.record.latestVersion ?? 0);
    number += 1
  ) {
    writes.push(materialRemoval(present?.record.id ?? "", number));
  }
  try {
    await storage.commit(writes);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    throw taken;
  }
}

/** @throws ApiError 400 for what is no backup of this engine, or not a whole one. */
function readBackup(text: string): Backup {
  const invalid = badRequest("the backup cannot be read: it is damaged, or not one that vsec made");
  let parsed: Json;
  try {
    parsed = parseJson(decodeBase64(text).toString("utf8"));
  } catch {
    // The cause could show parts of the key.
    throw invalid;
  }
  if (!isJsonObject(parsed) || !isJsonObject(parsed.policy) || !isJsonObject(parsed.archived_keys))
    throw invalid;
  const { v, name, record } = parsed.policy;
  const { keys } = parsed.archived_keys;
  if (v !== 1 || typeof name !== "string" || name === "" || !isJsonObject(record) || !isJsonObject(keys))
    throw invalid;
  const backup = parsed as unknown as Backup;
  if (!isWhole(backup.policy.record, keys)) throw invalid;
  return backup;
}

const COUNTS = [
  "latestVersion",
  "minAvailableVersion",
  "minDecryptionVersion",
  "minEncryptionVersion",
  "keyBytes",
  "autoRotateSeconds",
  "rotatedAt",
  "revision",
] as const satisfies readonly (keyof KeyRecord)[];
const FLAGS = [
  "derived",
  "convergent",
  "exportable",
  "allowPlaintextBackup",
  "deletionAllowed",
  "softDeleted",
  "imported",
  "importedAllowsRotation",
] as const satisfies readonly (keyof KeyRecord)[];

function isWhole(record: KeyRecord, keys: JsonObject): boolean {
  const type = record.v === 1 ? findKeyType(record.type) : undefined;
  if (type === undefined || !FLAGS.every((name) => typeof record[name] === "boolean")) return false;
  if (!COUNTS.every((name) => Number.isSafeInteger(record[name]) && record[name] >= 0)) return false;
  const { latestVersion, minDecryptionVersion, minEncryptionVersion } = record;
  if (Math.max(minDecryptionVersion, minEncryptionVersion) > latestVersion) return false;
  const wanted = latestVersion - firstVersion(record) + 1;
  if (wanted < 1 || Object.keys(keys).length !== wanted) return false;
  return Object.entries(keys).every(([number, material]) =>
    isMaterial(record, type, Number(number), material),
  );
}

function isMaterial(record: KeyRecord, type: KeyType, number: number, material: Json): boolean {
  if (!Number.isSafeInteger(number) || number < firstVersion(record) || number > record.latestVersion)
    return false;
  if (!isJsonObject(material) || material.v !== 1 || typeof material.createdAt !== "number") return false;
  try {
    return isUsable(type, new KeyVersion(type, number, material as unknown as MaterialRecord));
  } catch {
    // Not base64, or no key of the type.
    return false;
  }
}

/** Whether the parts of a version are what its type needs. */
function isUsable(type: KeyType, version: KeyVersion): boolean {
  if (type.family === "aead")
    return version.secret.length === type.keyBytes && version.hmacKey.length >= HMAC_KEY_BYTES_MIN;
  if (type.family === "hmac")
    return isHmacKeySize(version.hmacKey.length) && version.secret.equals(version.hmacKey);
  const hasHalves = !version.hasSecret || createPublicKey(version.privateKey).equals(version.publicKey);
  return hasHalves && fitsType(type, version.publicKey) && version.hmacKey.length >= HMAC_KEY_BYTES_MIN;
}
