import type { JsonObject } from "../../base/json.ts";
import type { EngineStorage, EngineWrite } from "../../framework/storage.ts";

/** A rotation of the root key that is under way. */
export interface RotationRecord {
  readonly username: string;
  readonly oldAccessKey: string;
  readonly keysBefore: readonly string[];
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Until then whoever wrote the record may be at work on it. */
  readonly busyUntil: number;
  /** What comes next: the new key is made; it is proved and stored; the old one is deleted. */
  readonly stage: "create" | "prove" | "delete";
  /** Empty before the key is made. */
  readonly newAccessKey: string;
  readonly newSecretKey: string;
}

export interface StoredRotation {
  readonly record: RotationRecord;
  readonly version: number;
}

const KEY = "root-rotation";

export function isRotationRecord(key: string): boolean {
  return key === KEY;
}

/** Null: none is under way. */
export async function readRotation(storage: EngineStorage): Promise<StoredRotation | null> {
  const entry = await storage.get(KEY);
  if (entry === null) return null;
  return { record: entry.value as unknown as RotationRecord, version: entry.version };
}

/** @param expect - The version it replaces; 0: none. */
export function putRotation(record: RotationRecord, expect: number): EngineWrite {
  return { op: "put", key: KEY, value: record as unknown as JsonObject, dueAt: record.busyUntil, expect };
}

export function endRotation(expect: number): EngineWrite {
  return { op: "delete", key: KEY, expect };
}
