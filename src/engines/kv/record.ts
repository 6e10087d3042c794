import type { JsonObject } from "../../base/json.ts";
import { timeText } from "../../base/time-text.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import { recordKey } from "./keys.ts";

/** One version of a secret. */
export interface VersionRecord {
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** When it is deleted, or was; null: never. It can be undeleted as long as it is not destroyed. */
  readonly deletedAt: number | null;
  /** Deleted by a request, or seen to be by the work that was due then: it stays so, even if the clock is set back. */
  readonly deleted: boolean;
  /** Its data are gone. */
  readonly destroyed: boolean;
}

/** What is known about a secret besides its data. */
export interface SecretRecord {
  readonly createdAt: number;
  readonly updatedAt: number;
  /** 0: it has never had a version. */
  readonly currentVersion: number;
  /** 0: nothing was dropped yet. */
  readonly oldestVersion: number;
  /** 0: the mount's. */
  readonly maxVersions: number;
  readonly casRequired: boolean;
  /** 0: the mount's. */
  readonly deleteVersionAfterSeconds: number;
  readonly customMetadata: Readonly<Record<string, string>> | null;
  /** The versions that are kept, by number. */
  readonly versions: Readonly<Record<string, VersionRecord>>;
}

export interface StoredSecret {
  readonly record: SecretRecord;
  /** Of the entry, for preconditions. */
  readonly version: number;
}

/** A secret that has no version yet. */
export function newRecord(now: number): SecretRecord {
  return {
    createdAt: now,
    updatedAt: now,
    currentVersion: 0,
    oldestVersion: 0,
    maxVersions: 0,
    casRequired: false,
    deleteVersionAfterSeconds: 0,
    customMetadata: null,
    versions: {},
  };
}

/** Null: there is no such secret. */
export async function readRecord(storage: EngineStorage, path: string): Promise<StoredSecret | null> {
  const entry = await storage.get(recordKey(path));
  return entry === null ? null : { record: entry.value as unknown as SecretRecord, version: entry.version };
}

/** Whether a version's data are not to be had: deleted by now, or destroyed. */
export function isGone({ deletedAt, deleted, destroyed }: VersionRecord, now: number): boolean {
  return destroyed || deleted || (deletedAt !== null && deletedAt <= now);
}

/** When the next of a secret's versions is to be deleted; null: none of them. */
export function nextDeletion({ versions }: SecretRecord): number | null {
  const times = Object.values(versions).flatMap(({ deletedAt, deleted, destroyed }) =>
    deletedAt === null || deleted || destroyed ? [] : [deletedAt],
  );
  return times.length === 0 ? null : Math.min(...times);
}

/** The number and record of one version. Undefined: there is none. @param wanted - 0: the current one. */
export function findVersion(
  record: SecretRecord,
  wanted: number,
): readonly [number: number, version: VersionRecord] | undefined {
  const number = wanted === 0 ? record.currentVersion : wanted;
  const version = record.versions[String(number)];
  return version === undefined ? undefined : [number, version];
}

/** A version as the answers to reads and writes show it. */
export function describeVersion(
  record: SecretRecord,
  number: number,
  { createdAt, deletedAt, destroyed }: VersionRecord,
): JsonObject {
  return {
    created_time: timeText(createdAt),
    custom_metadata: record.customMetadata,
    deletion_time: timeText(deletedAt),
    destroyed,
    version: number,
  };
}
