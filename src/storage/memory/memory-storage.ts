import { endOfPrefix, listChildren, type Position, scanStart } from "../children.ts";
import { conflictError } from "../conflict.ts";
import { checkClaim, checkKey, checkPage, checkPrefix, checkTag, checkWrites } from "../limits.ts";
import {
  ABSENT,
  type ClaimRequest,
  type ListPage,
  type PageRequest,
  type ScanPage,
  type Storage,
  type StoredEntry,
  type WalkPage,
  type Write,
} from "../port.ts";

interface Claim {
  readonly owner: string;
  readonly until: number;
}

/**
 * A store that lives as long as the object: for tests and the simulation. Closing it loses nothing, so that a simulated
 * crash can open "the same disk" again.
 */
export function openMemoryStorage(): Storage {
  return new MemoryStorage();
}

class MemoryStorage implements Storage {
  readonly #entries = new Map<string, StoredEntry>();
  readonly #claims = new Map<string, Claim>();
  /** The tags of the entries that carry any, and the keys of those that carry a tag. */
  readonly #tags = new Map<string, readonly string[]>();
  readonly #tagged = new Map<string, Set<string>>();
  /** The entries with a due time. */
  readonly #due = new Map<string, number>();
  /** All keys, in code unit order. */
  readonly #keys: string[] = [];
  #puts = 0;

  async get(key: string): Promise<StoredEntry | null> {
    checkKey(key);
    const entry = this.#entries.get(key);
    return entry === undefined ? null : copyOf(entry);
  }

  async list(prefix: string, page: PageRequest): Promise<ListPage> {
    checkPrefix(prefix);
    checkPage(page);
    return listChildren(prefix, page, (position, end) => {
      const key = this.#keys[this.#indexAt(position)];
      return key !== undefined && key < end ? key : undefined;
    });
  }

  async scan(prefix: string, page: PageRequest): Promise<ScanPage> {
    checkPrefix(prefix);
    checkPage(page);
    const start = this.#indexAt({ key: scanStart(prefix, page), inclusive: false });
    const end = this.#indexAt({ key: endOfPrefix(prefix), inclusive: true });
    const keys = this.#keys.slice(start, Math.min(end, start + page.limit));
    const next = start + page.limit < end ? (keys.at(-1) ?? null) : null;
    return { entries: keys.map((key) => this.#mustGet(key)), next };
  }

  async *walk(prefix: string, page: PageRequest): AsyncGenerator<WalkPage> {
    for (let request: PageRequest | null = page; request !== null; ) {
      const { entries, next } = await this.scan(prefix, request);
      yield { entries, next, swath: JSON.stringify(entries.map(({ key }) => key)) };
      request = next === null ? null : { ...page, after: next };
    }
  }

  async find(tag: string, page: PageRequest): Promise<ScanPage> {
    checkTag(tag);
    checkPage(page);
    const { after = "" } = page;
    const keys = [...(this.#tagged.get(tag) ?? [])].filter((key) => key > after);
    const found = keys.sort().slice(0, page.limit);
    const next = found.length < keys.length ? (found.at(-1) ?? null) : null;
    return { entries: found.map((key) => this.#mustGet(key)), next };
  }

  async commit(writes: readonly Write[]): Promise<readonly number[]> {
    checkWrites(writes);
    for (const { key, expect } of writes) {
      if (expect !== undefined && expect !== (this.#entries.get(key)?.version ?? ABSENT))
        throw conflictError();
    }
    const versions: number[] = [];
    for (const write of writes) {
      if (write.op === "put") versions.push(this.#put(write));
      if (write.op === "delete") this.#delete(write.key);
    }
    return versions;
  }

  async sweep(swaths: readonly string[], version: number): Promise<number> {
    const keys = swaths.flatMap((swath) => JSON.parse(swath) as string[]);
    const doomed = keys.filter((key) => (this.#entries.get(key)?.version ?? version + 1) <= version);
    for (const key of doomed) this.#delete(key);
    return doomed.length;
  }

  async claim(request: ClaimRequest): Promise<readonly StoredEntry[]> {
    checkClaim(request);
    const { now, limit, owner, until } = request;
    const keys = [...this.#due]
      .filter(([key, dueAt]) => dueAt <= now && (this.#claims.get(key)?.until ?? now) <= now)
      .sort(([, a], [, b]) => a - b)
      .slice(0, limit)
      .map(([key]) => key);
    for (const key of keys) this.#claims.set(key, { owner, until });
    return keys.map((key) => this.#mustGet(key));
  }

  async release(keys: readonly string[], owner: string): Promise<void> {
    for (const key of keys) {
      checkKey(key);
      if (this.#claims.get(key)?.owner === owner) this.#claims.delete(key);
    }
  }

  async nextDue(): Promise<number | null> {
    let least: number | null = null;
    for (const [key, dueAt] of this.#due) {
      const at = Math.max(dueAt, this.#claims.get(key)?.until ?? dueAt);
      if (least === null || at < least) least = at;
    }
    return least;
  }

  async writes(): Promise<number> {
    return this.#puts;
  }

  async close(): Promise<void> {
    // Nothing is held that could be given back.
  }

  #put({ key, value, dueAt = null, tags = [] }: Extract<Write, { op: "put" }>): number {
    if (!this.#entries.has(key)) this.#keys.splice(this.#indexAt({ key, inclusive: true }), 0, key);
    this.#puts += 1;
    this.#entries.set(key, { key, value: Uint8Array.from(value), version: this.#puts, dueAt });
    this.#claims.delete(key);
    this.#tag(key, tags);
    if (dueAt === null) this.#due.delete(key);
    else this.#due.set(key, dueAt);
    return this.#puts;
  }

  #delete(key: string): void {
    if (!this.#entries.delete(key)) return;
    this.#keys.splice(this.#indexAt({ key, inclusive: true }), 1);
    this.#claims.delete(key);
    this.#tag(key, []);
    this.#due.delete(key);
  }

  #tag(key: string, tags: readonly string[]): void {
    for (const tag of this.#tags.get(key) ?? []) {
      const keys = this.#tagged.get(tag);
      keys?.delete(key);
      if (keys?.size === 0) this.#tagged.delete(tag);
    }
    for (const tag of tags) this.#tagged.set(tag, (this.#tagged.get(tag) ?? new Set()).add(key));
    if (tags.length === 0) this.#tags.delete(key);
    else this.#tags.set(key, [...tags]);
  }

  #mustGet(key: string): StoredEntry {
    const entry = this.#entries.get(key);
    if (entry === undefined)
      throw new RangeError("the memory store's index names an entry that is not there");
    return copyOf(entry);
  }

  /** The index of the first key at the position; the number of keys when there is none. By bisection. */
  #indexAt({ key, inclusive }: Position): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const candidate = this.#keys[middle] ?? "";
      if (candidate < key || (candidate === key && !inclusive)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Values are copied on the way in and out, so that nobody can change the store from outside. */
function copyOf(entry: StoredEntry): StoredEntry {
  return { ...entry, value: Uint8Array.from(entry.value) };
}
