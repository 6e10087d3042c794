import type { JsonObject } from "../../base/json.ts";
import { retryOnConflict } from "../../framework/on-conflict.ts";
import type { EngineStorage, EngineWrite } from "../../framework/storage.ts";
import { recordKey } from "./keys.ts";
import { nextDeletion, readRecord, type SecretRecord } from "./record.ts";

/** What is to become of a secret. */
export interface Change<T> {
  /** Null: the secret goes, with all that is known about it. Undefined: nothing changes. */
  readonly record: SecretRecord | null | undefined;
  /** What is written together with the record. */
  readonly also?: readonly EngineWrite[];
  readonly result: T;
}

/**
 * Changes a secret as one commit. Where somebody else was faster, the change is decided anew on what there is by then, so
 * that no update is lost and a check-and-set holds.
 * @param decide - From the present record; null: there is no such secret.
 * @throws What `decide` throws; STORE_CONFLICT after many lost races.
 */
export async function changeSecret<T>(
  storage: EngineStorage,
  path: string,
  decide: (present: SecretRecord | null) => Change<T> | Promise<Change<T>>,
): Promise<T> {
  return retryOnConflict(async () => {
    const stored = await readRecord(storage, path);
    const { record, also = [], result } = await decide(stored?.record ?? null);
    if (record !== undefined)
      await storage.commit([recordWrite(path, record, stored?.version ?? 0), ...also]);
    return result;
  });
}

/**
 * The write that stores a secret's record, or removes it. It is due when the first of its versions is to be deleted.
 * @param expect - The version of the entry that it replaces; 0: there is none.
 */
export function recordWrite(path: string, record: SecretRecord | null, expect: number): EngineWrite {
  const key = recordKey(path);
  if (record === null) return { op: "delete", key, expect };
  return { op: "put", key, value: record as unknown as JsonObject, dueAt: nextDeletion(record), expect };
}
