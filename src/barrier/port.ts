/**
 * What the core sees of the barrier: the storage port with plain names and decrypted values.
 * Keys here are plain; what reaches the store is encrypted segment by segment.
 */
import type { ClaimRequest, PageRequest, ScanPage, StoredEntry, Write } from "../storage/port.ts";

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
  commit(writes: readonly Write[]): Promise<readonly number[]>;
  claim(request: ClaimRequest): Promise<readonly StoredEntry[]>;
  release(keys: readonly string[], owner: string): Promise<void>;
  nextDue(): Promise<number | null>;

  /** A keyed hash for values that must be found again but never stored (token ids). Stable for the store's life. 32 bytes, hex. */
  hash(purpose: string, value: string): string;

  keyStatus(): Promise<KeyStatus>;
  /** Adds a key term; what is written from now on is encrypted with it. */
  rotate(): Promise<void>;
}
