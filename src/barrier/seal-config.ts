import { VsecError } from "../base/errors.ts";
import { isJsonObject, type Json, parseJson } from "../base/json.ts";
import type { Storage } from "../storage/port.ts";
import { damagedEntry } from "./damage.ts";
import { SEAL_TYPES, type SealConfig, type SealType } from "./seals/port.ts";

/** Where the seal's configuration is stored, in clear. */
export const SEAL_KEY = "_/seal";

const FORMAT = 1;
const BYTES_MAX = 64 * 1024;

/** Store ids become file names and keychain items. */
const STORE_ID = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;

export function encodeSealConfig(config: SealConfig): Buffer {
  if (!STORE_ID.test(config.storeId))
    throw new VsecError("USAGE", "a store's id is letters, digits and dashes");
  const { type, storeId, params } = config;
  return Buffer.from(JSON.stringify({ format: FORMAT, type, storeId, params }));
}

/**
 * How the store is sealed. Null: the store was not initialised.
 * @throws BARRIER_DAMAGED when the configuration is unreadable; STORE_TOO_NEW when a later version of vsec wrote it;
 *   STORE_FOREIGN when its seal is none that vsec has.
 */
export async function readSealConfig(storage: Storage): Promise<SealConfig | null> {
  const entry = await storage.get(SEAL_KEY);
  return entry === null ? null : decodeSealConfig(entry.value);
}

/**
 * Puts one configuration in the place of another, in one write: at any moment the store has the one or the other.
 * @throws STORE_CONFLICT when the store's is not `from`; then nothing is written.
 */
export async function replaceSealConfig(storage: Storage, from: SealConfig, to: SealConfig): Promise<void> {
  const entry = await storage.get(SEAL_KEY);
  if (entry === null || !isSameConfig(decodeSealConfig(entry.value), from)) {
    throw new VsecError("STORE_CONFLICT", "the store's seal was changed meanwhile; nothing was written");
  }
  await storage.commit([{ op: "put", key: SEAL_KEY, value: encodeSealConfig(to), expect: entry.version }]);
}

/** True when both say the same. */
export function isSameConfig(a: SealConfig, b: SealConfig): boolean {
  return encodeSealConfig(a).equals(encodeSealConfig(b));
}

function decodeSealConfig(value: Uint8Array): SealConfig {
  const json = parseConfigJson(value);
  if (!isJsonObject(json) || typeof json.format !== "number") throw malformed();
  if (json.format > FORMAT) {
    const text = "the store's seal was written by a later version of vsec; use that version";
    throw new VsecError("STORE_TOO_NEW", text);
  }
  const { format, type, storeId, params } = json;
  if (format !== FORMAT || typeof type !== "string" || !isJsonObject(params)) throw malformed();
  if (typeof storeId !== "string" || !STORE_ID.test(storeId)) throw malformed();
  if (!isSealType(type)) {
    throw new VsecError("STORE_FOREIGN", "the store has a kind of seal that this vsec does not know");
  }
  return { type, storeId, params };
}

function parseConfigJson(value: Uint8Array): Json {
  if (value.length > BYTES_MAX) throw malformed();
  try {
    return parseJson(Buffer.from(value).toString("utf8"));
  } catch (cause) {
    throw malformed(cause);
  }
}

function isSealType(type: string): type is SealType {
  return SEAL_TYPES.some((known) => known === type);
}

function malformed(cause?: unknown): VsecError {
  return damagedEntry(SEAL_KEY, "it is not the configuration of a seal", cause);
}
