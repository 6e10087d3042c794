import { VsecError } from "../../base/errors.ts";
import { isJsonObject, type JsonObject } from "../../base/json.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import { versionKey } from "./keys.ts";
import { findVersion, isGone, readRecord, type SecretRecord, type VersionRecord } from "./record.ts";

/** One version of a secret with its data. */
export interface FoundVersion {
  readonly record: SecretRecord;
  readonly number: number;
  readonly version: VersionRecord;
  /** Null: deleted or destroyed. */
  readonly data: JsonObject | null;
}

const RACE_ATTEMPTS_MAX = 20;

/**
 * Reads a version of a secret.
 * @param wanted - Its number; 0: the current one.
 * @returns Null: there is no such secret or version.
 * @throws BARRIER_DAMAGED when the data of a version that should have some are not there.
 */
export async function readVersion(
  storage: EngineStorage,
  path: string,
  wanted: number,
  now: number,
): Promise<FoundVersion | null> {
  let seen = 0;
  for (let attempt = 1; attempt <= RACE_ATTEMPTS_MAX; attempt += 1) {
    const stored = await readRecord(storage, path);
    const found = stored === null ? undefined : findVersion(stored.record, wanted);
    if (stored === null || found === undefined) return null;
    const [number, version] = found;
    const { record } = stored;
    if (isGone(version, now)) return { record, number, version, data: null };
    const data = (await storage.get(versionKey(path, number)))?.value.data;
    if (data !== undefined && isJsonObject(data)) return { record, number, version, data };
    // Dropped or destroyed between the two reads: then the record has changed, and tells so now.
    if (stored.version === seen) break;
    seen = stored.version;
  }
  throw new VsecError("BARRIER_DAMAGED", "the data of a version of a secret are missing from the store");
}
