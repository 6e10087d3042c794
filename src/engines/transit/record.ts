import { ApiError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { retryOnConflict } from "../../framework/on-conflict.ts";
import type { EngineStorage, EngineWrite } from "../../framework/storage.ts";
import { findKeyType, type KeyType } from "./key-types.ts";

/** When a key was backed up or restored, and at which version. */
export interface PassageRecord {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly version: number;
}

/**
 * A key without its material. Each version is an entry of its own, so that what a request reads does not grow with the number
 * of rotations, and old versions need no archive.
 */
export interface KeyRecord {
  readonly v: 1;
  /** Chosen at random when the key is made; its versions are stored under it, and a later key of the same name has another. */
  readonly id: string;
  /** A name of {@link findKeyType}. */
  readonly type: string;
  /** Bytes; of keys of type hmac only, else 0. */
  readonly keyBytes: number;
  readonly derived: boolean;
  readonly convergent: boolean;
  readonly exportable: boolean;
  readonly allowPlaintextBackup: boolean;
  readonly deletionAllowed: boolean;
  readonly softDeleted: boolean;
  readonly latestVersion: number;
  /** 0 or 1: nothing was trimmed. */
  readonly minAvailableVersion: number;
  readonly minDecryptionVersion: number;
  /** 0: the latest. */
  readonly minEncryptionVersion: number;
  /** 0: never. */
  readonly autoRotateSeconds: number;
  /** When the latest version was made, in milliseconds since the epoch. */
  readonly rotatedAt: number;
  readonly imported: boolean;
  /** Whether an imported key may have versions that were made here. */
  readonly importedAllowsRotation: boolean;
  /** Counts changes of versions that were there already: what is remembered of the material holds for one number. */
  readonly revision: number;
  readonly backup: PassageRecord | null;
  readonly restore: PassageRecord | null;
}

/** A key as it is stored. */
export interface StoredKey {
  readonly name: string;
  readonly record: KeyRecord;
  readonly type: KeyType;
  /** Of the entry, for preconditions. */
  readonly version: number;
}

const KEY_PREFIX = "key/";

const keyEntry = (name: string): string => `${KEY_PREFIX}${name}`;

export function listKeys(storage: EngineStorage): Promise<readonly string[]> {
  return storage.list(KEY_PREFIX);
}

/** The name of the key that an entry is of. Null: of none. */
export function nameOfEntry(entry: string): string | null {
  return entry.startsWith(KEY_PREFIX) ? entry.slice(KEY_PREFIX.length) : null;
}

/** Null: there is no such key. */
export async function readKey(storage: EngineStorage, name: string): Promise<StoredKey | null> {
  const entry = await storage.get(keyEntry(name));
  if (entry === null) return null;
  const record = entry.value as unknown as KeyRecord;
  const type = findKeyType(record.type);
  if (type === undefined) throw new ApiError(500, `this vsec has no keys of type "${record.type}"`);
  return { name, record, type, version: entry.version };
}

/**
 * The write that stores a key, due when it is to be rotated.
 * @param expect - The version of the entry that it replaces; 0: there is none.
 */
export function keyWrite(name: string, record: KeyRecord, expect: number): EngineWrite {
  const key = keyEntry(name);
  return { op: "put", key, value: record as unknown as JsonObject, dueAt: rotationDueAt(record), expect };
}

function keyRemoval({ name, version }: StoredKey): EngineWrite {
  return { op: "delete", key: keyEntry(name), expect: version };
}

/** When a key is to be rotated; null: not by itself. */
export function rotationDueAt(record: KeyRecord): number | null {
  if (record.autoRotateSeconds === 0 || record.softDeleted || !mayRotate(record)) return null;
  return record.rotatedAt + record.autoRotateSeconds * 1000;
}

/** Whether versions of this key may be made here. */
export function mayRotate(record: KeyRecord): boolean {
  return !record.imported || record.importedAllowsRotation;
}

/** What is to become of a key. */
export interface KeyChange<T> {
  /** Undefined: nothing changes. Null: the key goes. */
  readonly record: KeyRecord | undefined | null;
  /** What is written together with it. */
  readonly also?: readonly EngineWrite[];
  readonly result: T;
}

/**
 * Changes a key, with what goes with it, as one commit; decided anew where somebody else was faster.
 * @throws What `decide` throws; ApiError 400 when there is no such key.
 */
export async function changeKey<T>(
  storage: EngineStorage,
  name: string,
  missing: string,
  decide: (key: StoredKey) => KeyChange<T> | Promise<KeyChange<T>>,
): Promise<T> {
  return retryOnConflict(async () => {
    const key = await readKey(storage, name);
    if (key === null) throw new ApiError(400, missing);
    const { record, also = [], result } = await decide(key);
    if (record === undefined) return result;
    const write = record === null ? keyRemoval(key) : keyWrite(name, record, key.version);
    await storage.commit([write, ...also]);
    return result;
  });
}
