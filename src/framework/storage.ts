import type { JsonObject } from "../base/json.ts";

/** An engine's entry. */
export interface EngineEntry {
  readonly value: JsonObject;
  /** For a precondition of a later write. */
  readonly version: number;
}

export type EngineWrite =
  | {
      readonly op: "put";
      readonly key: string;
      readonly value: JsonObject;
      /** Milliseconds since the epoch; the backend's `due` is called with the key then. */
      readonly dueAt?: number | null;
      /** The entry's present version; 0: absent. */
      readonly expect?: number;
    }
  | { readonly op: "delete"; readonly key: string; readonly expect?: number }
  | { readonly op: "check"; readonly key: string; readonly expect: number };

/** The part of the encrypted store that belongs to one mount. Keys are relative to it, `/`-joined, without empty segments. */
export interface EngineStorage {
  /** Null: absent. @throws BARRIER_DAMAGED when it is there and cannot be trusted. */
  get(key: string): Promise<EngineEntry | null>;
  /** Names directly below `prefix` ("" or ending in `/`), sorted; folders end in `/`. For lists of configuration: all of them, unpaged. */
  list(prefix: string): Promise<readonly string[]>;
  /**
   * All or nothing, durable when it resolves.
   * @returns The new version of each put, in the order of the puts.
   * @throws STORE_CONFLICT when a precondition fails.
   */
  commit(writes: readonly EngineWrite[]): Promise<readonly number[]>;
  /**
   * The same, provided that the mount is neither disabled nor moved by then: for records of what is about to be made outside, which
   * `Backend.isClear` must not miss.
   * @throws ApiError 404 when the mount is gone; STORE_CONFLICT when a precondition fails.
   */
  commitWhileMounted(writes: readonly EngineWrite[]): Promise<readonly number[]>;
}
