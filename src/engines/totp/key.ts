import type { JsonObject } from "../../base/json.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import type { CodeRules } from "./one-time-password.ts";

/** A key as it is stored. */
export interface TotpKey extends CodeRules {
  readonly v: 1;
  /** Base32 of the shared secret, without padding. */
  readonly secret: string;
  readonly issuer: string;
  readonly accountName: string;
  /** How many periods before and after the present one a code may be of. */
  readonly skew: 0 | 1;
}

const PREFIX = "key/";

const usedKey = (name: string): string => `used/${name}`;

export function listKeys(storage: EngineStorage): Promise<readonly string[]> {
  return storage.list(PREFIX);
}

/** Null: there is no such key. */
export async function readKey(storage: EngineStorage, name: string): Promise<TotpKey | null> {
  const entry = await storage.get(PREFIX + name);
  return entry === null ? null : (entry.value as unknown as TotpKey);
}

/** Stores a key, in place of one of that name; codes that the old one took do not count for it. */
export async function writeKey(storage: EngineStorage, name: string, key: TotpKey): Promise<void> {
  await storage.commit([
    { op: "put", key: PREFIX + name, value: key as unknown as JsonObject },
    { op: "delete", key: usedKey(name) },
  ]);
}

export async function deleteKey(storage: EngineStorage, name: string): Promise<void> {
  await storage.commit([
    { op: "delete", key: PREFIX + name },
    { op: "delete", key: usedKey(name) },
  ]);
}

/** The periods whose code was taken already, and the version of the entry; 0: there is none. */
export async function readUsed(
  storage: EngineStorage,
  name: string,
): Promise<{ readonly counters: readonly number[]; readonly version: number }> {
  const entry = await storage.get(usedKey(name));
  if (entry === null) return { counters: [], version: 0 };
  return { counters: entry.value.counters as readonly number[], version: entry.version };
}

/** @throws STORE_CONFLICT when somebody else took a code meanwhile. */
export async function writeUsed(
  storage: EngineStorage,
  name: string,
  counters: readonly number[],
  expect: number,
): Promise<void> {
  await storage.commit([{ op: "put", key: usedKey(name), value: { counters }, expect }]);
}
