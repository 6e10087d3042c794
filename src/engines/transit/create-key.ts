import { badRequest, hasCode } from "../../base/errors.ts";
import { randomUuid } from "../../base/random.ts";
import type { MountContext } from "../../framework/backend.ts";
import { canDerive, findKeyType, HMAC_KEY_BYTES_MAX, HMAC_KEY_BYTES_MIN, type KeyType } from "./key-types.ts";
import { type MaterialRecord, materialWrite, newMaterial } from "./material.ts";
import { type KeyRecord, keyWrite, readKey, type StoredKey } from "./record.ts";

/** What a new key is to be. */
export interface NewKey {
  readonly type: string;
  /** Bytes, of keys of type hmac; 0: 32. */
  readonly keySize: number;
  readonly derived: boolean;
  readonly convergent: boolean;
  readonly exportable: boolean;
  readonly allowPlaintextBackup: boolean;
  readonly autoRotateSeconds: number;
}

export const PLAIN_KEY: Omit<NewKey, "type"> = {
  keySize: 0,
  derived: false,
  convergent: false,
  exportable: false,
  allowPlaintextBackup: false,
  autoRotateSeconds: 0,
};

const HOUR_SECONDS = 3600;
const ELSEWHERE: ReadonlySet<string> = new Set([
  "managed_key",
  "aes128-cmac",
  "aes192-cmac",
  "aes256-cmac",
  "ml-dsa",
  "slh-dsa",
  "hybrid",
  "external-key",
]);

/** @throws ApiError 400 for a type that is not known, or is known and not offered. */
export function keyTypeNamed(name: string): KeyType {
  const type = findKeyType(name);
  if (type !== undefined) return type;
  if (ELSEWHERE.has(name)) throw badRequest(`keys of type ${name} are not offered by vsec`);
  throw badRequest(`unknown key type ${name}`);
}

/** @throws ApiError 400 */
export function checkAutoRotate(seconds: number): void {
  if (seconds === 0 || seconds >= HOUR_SECONDS) return;
  throw badRequest("auto rotate period must be 0 to disable or at least an hour");
}

/** @throws ApiError 400 for what does not go together. @returns The type. */
export function checkNewKey(wanted: NewKey): KeyType {
  const type = keyTypeNamed(wanted.type);
  checkAutoRotate(wanted.autoRotateSeconds);
  if (wanted.convergent && !wanted.derived) {
    throw badRequest("convergent encryption requires derivation to be enabled");
  }
  const cannot = wanted.derived && (!canDerive(type) || (wanted.convergent && type.family !== "aead"));
  if (cannot) {
    throw badRequest(`key derivation and convergent encryption not supported for keys of type ${type.name}`);
  }
  if (type.family !== "hmac") {
    if (wanted.keySize !== 0) throw badRequest(`key_size is only for keys of type hmac, not ${type.name}`);
  } else if (wanted.keySize !== 0 && !isHmacKeySize(wanted.keySize)) {
    throw badRequest(
      `invalid key size for HMAC key, must be between ${HMAC_KEY_BYTES_MIN} and ${HMAC_KEY_BYTES_MAX} bytes`,
    );
  }
  return type;
}

export function isHmacKeySize(bytes: number): boolean {
  return bytes >= HMAC_KEY_BYTES_MIN && bytes <= HMAC_KEY_BYTES_MAX;
}

/** The record of a key whose first version is made now. */
export function newRecord(wanted: NewKey, type: KeyType, id: string, now: number): KeyRecord {
  return {
    v: 1,
    id,
    type: type.name,
    keyBytes: type.family === "hmac" ? wanted.keySize || HMAC_KEY_BYTES_MIN : 0,
    derived: wanted.derived,
    convergent: wanted.convergent,
    exportable: wanted.exportable,
    allowPlaintextBackup: wanted.allowPlaintextBackup,
    deletionAllowed: false,
    softDeleted: false,
    latestVersion: 1,
    minAvailableVersion: 0,
    minDecryptionVersion: 1,
    minEncryptionVersion: 0,
    autoRotateSeconds: wanted.autoRotateSeconds,
    rotatedAt: now,
    imported: false,
    importedAllowsRotation: false,
    revision: 0,
    backup: null,
    restore: null,
  };
}

/**
 * Makes a key, unless there is one of that name.
 * @returns The key that is there afterwards, and whether it was made now.
 * @throws ApiError 400 for what does not go together.
 */
export async function createKey(
  context: MountContext,
  name: string,
  wanted: NewKey,
): Promise<{ readonly key: StoredKey; readonly isNew: boolean }> {
  const type = checkNewKey(wanted);
  const present = await readKey(context.storage, name);
  if (present !== null) return { key: present, isNew: false };
  const now = context.clock.now();
  const record = newRecord(wanted, type, randomUuid(context.random), now);
  const material = await newMaterial(type, record.keyBytes, context.random, now);
  return addKey(context, name, type, record, material);
}

/** Stores a key with its first version; whoever was faster wins. */
export async function addKey(
  { storage }: MountContext,
  name: string,
  type: KeyType,
  record: KeyRecord,
  material: MaterialRecord,
): Promise<{ readonly key: StoredKey; readonly isNew: boolean }> {
  try {
    const [version = 0] = await storage.commit([
      keyWrite(name, record, 0),
      materialWrite(record.id, record.latestVersion, material),
    ]);
    return { key: { name, record, type, version }, isNew: true };
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    const key = await readKey(storage, name);
    if (key === null) throw error;
    return { key, isNew: false };
  }
}
