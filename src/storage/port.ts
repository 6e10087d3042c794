/**
 * The storage port: versioned entries, atomic batches, due times. It is small enough for SQLite, PostgreSQL and etcd alike.
 *
 * Keys are `/`-joined non-empty segments (the barrier encrypts each segment; the store never sees a name). They sort by
 * code unit, so the children of a key are one range. Values are opaque bytes. Times are milliseconds since the epoch.
 *
 * An entry may carry tags, under which it is found beside its key. They are part of it: they change and go with it, so no index
 * can name an entry that is not there.
 */

/** An entry as it is stored. */
export interface StoredEntry {
  readonly key: string;
  readonly value: Uint8Array;
  /** The number of the put that wrote it, in the store's life: 1 for the first. So it changes with every write, and later ones are greater. */
  readonly version: number;
  /** When something must happen to the entry; null when nothing must. */
  readonly dueAt: number | null;
}

/**
 * One write of a batch. `expect` is a precondition: the entry's present version, or {@link ABSENT}. A put without `dueAt`
 * (or with null) has no due time, one without `tags` leaves none on it. A put or delete ends any claim on the entry.
 */
export type Write =
  | {
      readonly op: "put";
      readonly key: string;
      readonly value: Uint8Array;
      readonly dueAt?: number | null;
      /** At most {@link TAGS_MAX} short texts, each once. */
      readonly tags?: readonly string[];
      readonly expect?: number;
    }
  | { readonly op: "delete"; readonly key: string; readonly expect?: number }
  /** Writes nothing; the batch fails unless the entry is at this version. */
  | { readonly op: "check"; readonly key: string; readonly expect: number };

/** How many tags one entry may carry. */
export const TAGS_MAX = 5;

/** As a precondition: no such entry. */
export const ABSENT = 0;

/** Where a listing goes on. `after` is a cursor from the page before, or undefined for the first page. */
export interface PageRequest {
  readonly after?: string;
  readonly limit: number;
}

export interface ListPage {
  /** Direct children of the prefix, in key order; one that has children of its own ends with `/`. A name may come twice, as entry and as folder. */
  readonly names: readonly string[];
  /** Cursor of the next page; null when this one was the last. */
  readonly next: string | null;
}

export interface ScanPage {
  readonly entries: readonly StoredEntry[];
  readonly next: string | null;
}

export interface WalkPage extends ScanPage {
  /** Stands for these entries in {@link Storage.sweep}. */
  readonly swath: string;
}

/** A worker's wish for due entries. */
export interface ClaimRequest {
  readonly now: number;
  readonly limit: number;
  /** Who claims; unique to the process. */
  readonly owner: string;
  /** When the claim lapses. */
  readonly until: number;
}

export interface Storage {
  /** Null: absent. @throws STORE_CORRUPT and the other STORE_ codes. */
  get(key: string): Promise<StoredEntry | null>;

  /** Direct children of `prefix` ("" or a key ending in `/`). Costs the page, not what lies below the children. */
  list(prefix: string, page: PageRequest): Promise<ListPage>;

  /** All entries below `prefix`, at any depth, in key order. */
  scan(prefix: string, page: PageRequest): Promise<ScanPage>;

  /**
   * All entries below `prefix`, like {@link Storage.scan}, in an order of the store's own: what lies side by side in it comes
   * together, so that many are read, and swept, with the least work. A page may be empty. The page after a cursor is the same
   * whatever was deleted meanwhile.
   */
  walk(prefix: string, page: PageRequest): AsyncGenerator<WalkPage>;

  /** All entries that carry the tag, each once, in an order of the store's own. */
  find(tag: string, page: PageRequest): Promise<ScanPage>;

  /**
   * Applies the writes all or not at all, durably: when it resolves they survive a power cut.
   * @returns The new version of each put, in the order of the puts.
   * @throws STORE_CONFLICT when a precondition does not hold; then nothing is written.
   */
  commit(writes: readonly Write[]): Promise<readonly number[]>;

  /**
   * Deletes, in one commit, the entries of pages of a {@link Storage.walk}, apart from those of a greater version than the given
   * one. Who walks after {@link Storage.writes} gave that number, and is done with what he saw, leaves in place what was written
   * meanwhile.
   * @returns How many entries it deleted.
   */
  sweep(swaths: readonly string[], version: number): Promise<number>;

  /** Hands out entries with `dueAt` <= now that nobody holds a live claim on, the longest due first, and claims them. Does not change versions. */
  claim(request: ClaimRequest): Promise<readonly StoredEntry[]>;

  /** Ends the owner's claims on these entries, without writing them. */
  release(keys: readonly string[], owner: string): Promise<void>;

  /** The earliest time at which {@link Storage.claim} can return something: the least over all entries of the later of due time and claim end. Null: nothing is due, ever. */
  nextDue(): Promise<number | null>;

  /** How many puts there have been in this store's life, which is the version of the latest one. */
  writes(): Promise<number>;

  close(): Promise<void>;
}
