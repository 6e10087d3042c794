/**
 * What the core sees of the barrier: the storage port with plain names and decrypted values.
 * Keys here are plain; what reaches the store is encrypted segment by segment.
 */
import type { ClaimRequest, PageRequest, ScanPage, StoredEntry, WalkPage, Write } from "../storage/port.ts";

export type { Storage, StoredEntry, Write } from "../storage/port.ts";
// The core works with the same entries and writes, and reaches the storage port only through here.
export { ABSENT } from "../storage/port.ts";

/** A page of names, decrypted. In the store's order, which is not the names' order. */
export interface NamePage {
  readonly names: readonly string[];
  readonly next: string | null;
}

export interface KeyStatus {
  readonly term: number;
  /** Milliseconds since the epoch. */
  readonly installedAt: number;
  readonly encryptions: number;
}

/** The unsealed barrier. Entries, pages and writes are as in the storage port, with plain keys and values. */
export interface Barrier {
  /** Null: absent. @throws BARRIER_DAMAGED when the entry is there and was not written by us at this key. */
  get(key: string): Promise<StoredEntry | null>;
  list(prefix: string, page: PageRequest): Promise<NamePage>;
  scan(prefix: string, page: PageRequest): Promise<ScanPage>;
  /** As in the storage port; not of the whole store. */
  walk(prefix: string, page: PageRequest): AsyncGenerator<WalkPage>;
  /**
   * As in the storage port. Which entries carry a tag is not authenticated: whoever has changed the file can have taken one away or
   * put it elsewhere. The values are, so whoever finds an entry looks whether it is one that should carry the tag.
   */
  find(tag: string, page: PageRequest): Promise<ScanPage>;
  commit(writes: readonly Write[]): Promise<readonly number[]>;
  sweep(swaths: readonly string[], version: number): Promise<number>;
  writes(): Promise<number>;
  /**
   * Due entries, as in the storage port. Damaged ones are left out (and stay claimed) as long as others are due.
   * @throws BARRIER_DAMAGED when entries are due and none of them can be read.
   */
  claim(request: ClaimRequest): Promise<readonly StoredEntry[]>;
  release(keys: readonly string[], owner: string): Promise<void>;
  nextDue(): Promise<number | null>;

  /** A keyed hash for values that must be found again but never stored (token ids). Stable for the store's life. 32 bytes, hex. */
  hash(purpose: string, value: string): string;

  /**
   * Encrypts bytes that leave the store and come back (a batch token), under the present term; nothing is stored.
   * @param purpose - What they are for; must be the same when they are opened.
   */
  seal(purpose: string, bytes: Uint8Array): Uint8Array;
  /** Opens what {@link Barrier.seal} made, of any term. Null: not sealed by this store for this purpose, or changed since. */
  open(purpose: string, sealed: Uint8Array): Promise<Uint8Array | null>;

  keyStatus(): Promise<KeyStatus>;
  /** Adds a key term; what is written from now on is encrypted with it. */
  rotate(): Promise<void>;
}
