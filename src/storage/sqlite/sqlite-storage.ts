import { resolve } from "node:path";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { VsecError } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import { endOfPrefix, listChildren, scanStart } from "../children.ts";
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
  TAGS_MAX,
  type WalkPage,
  type Write,
} from "../port.ts";
import { type CommitOutcome, CommitQueue } from "./commit-queue.ts";
import { closeKeepingLog, connect, rollBack } from "./connection.ts";
import { damagedError, storeError } from "./errors.ts";
import { checkFile, createFile } from "./file.ts";
import { FLUSHED, FLUSHED_SHORT, SQL, type Statement, TRANSACTION, UNFLUSHED } from "./schema.ts";
import { partsOf, placeOf, STRETCH_KEYS, type Stretch, type WalkPlace } from "./walk.ts";

export interface SqliteStorageOptions {
  /** The store's file. It and its directory must be the user's own and closed to everyone else. */
  readonly file: string;
  /** Makes the store where there is none; the directory too. */
  readonly create?: boolean;
  /** Leaves the log beside the file when it closes after writing, which spares short commands most of their flushes. */
  readonly keepsLog?: boolean;
  /** Writes commits that come at the same time with one flush to disk, which is for a process that serves many. */
  readonly groupsCommits?: boolean;
  /** How long to wait for another process's lock; 10 seconds if not given. The thread waits, so this bounds a stall. */
  readonly busyTimeoutMs?: number;
}

const BUSY_TIMEOUT_MS = 10_000;

type Row = Readonly<Record<string, unknown>>;

/**
 * Opens the store in a SQLite file, which several processes may use at once.
 * @throws STORE_MISSING, STORE_PERMISSIONS, STORE_FOREIGN, STORE_TOO_NEW, STORE_TOO_OLD, STORE_CORRUPT, STORE_LOCKED,
 *   STORE_READ_ONLY, STORE_FULL, STORE_IO. A file that is refused is left as it was.
 */
export function openSqliteStorage(options: SqliteStorageOptions): Storage {
  const file = resolve(options.file);
  const create = options.create ?? false;
  if (create) createFile(file);
  checkFile(file);
  const busyTimeoutMs = options.busyTimeoutMs ?? BUSY_TIMEOUT_MS;
  return new SqliteStorage(
    file,
    connect({ file, create, busyTimeoutMs, isShort: options.keepsLog ?? false }),
    options,
  );
}

/** Every transaction is begun and ended in one go, without awaiting: none is ever open while other code runs. */
class SqliteStorage implements Storage {
  readonly #file: string;
  readonly #statements = new Map<Statement, StatementSync>();
  #database: DatabaseSync | null;
  readonly #keepsLog: boolean;
  readonly #queue: CommitQueue | null;
  #hasWritten = false;

  constructor(file: string, database: DatabaseSync, options: SqliteStorageOptions) {
    this.#keepsLog = options.keepsLog ?? false;
    this.#queue = options.groupsCommits === true ? new CommitQueue((all) => this.#commitAll(all)) : null;
    this.#file = file;
    this.#database = database;
  }

  async get(key: string): Promise<StoredEntry | null> {
    checkKey(key);
    return this.#guard("read", () => {
      const row = this.#row("get", key);
      return row === undefined ? null : this.#decode(row);
    });
  }

  async list(prefix: string, page: PageRequest): Promise<ListPage> {
    checkPrefix(prefix);
    checkPage(page);
    return this.#transaction("read", () =>
      listChildren(prefix, page, ({ key, inclusive }, end) => {
        const found = this.#row(inclusive ? "seekFrom" : "seekBehind", key, end);
        return found === undefined ? undefined : this.#text(found.key);
      }),
    );
  }

  async scan(prefix: string, page: PageRequest): Promise<ScanPage> {
    checkPrefix(prefix);
    checkPage(page);
    return this.#guard("read", () => {
      // One more than asked for tells whether another page follows.
      const rows = this.#rows("scan", scanStart(prefix, page), endOfPrefix(prefix), page.limit + 1);
      const entries = rows.slice(0, page.limit).map((row) => this.#decode(row));
      return { entries, next: rows.length > page.limit ? (entries.at(-1)?.key ?? null) : null };
    });
  }

  async *walk(prefix: string, page: PageRequest): AsyncGenerator<WalkPage> {
    checkPrefix(prefix);
    checkPage(page);
    for (let place: WalkPlace | null = placeOf(prefix, page.after); place !== null; ) {
      const stretch = this.#stretch(prefix, place);
      for (const { ids, next } of partsOf(stretch, page.limit)) {
        const swath = JSON.stringify(ids);
        // Whatever else has come meanwhile has its turn first: who reads many pages would keep the answers of servers waiting.
        await setImmediate();
        const rows = this.#guard("read", () => this.#rows("getSwath", swath));
        yield { entries: rows.map((row) => this.#decode(row)), next, swath };
      }
      place = stretch.isLast ? null : { start: stretch.upTo, upTo: null, id: 0 };
    }
  }

  #stretch(prefix: string, { start, upTo: given, id }: WalkPlace): Stretch {
    const end = endOfPrefix(prefix);
    return this.#transaction("read", () => {
      const rows = this.#rows("ids", start, end, given ?? end, given === null ? STRETCH_KEYS : -1);
      const upTo = given ?? this.#text(this.#row("keyOf", this.#number(rows.at(-1)?.id ?? 0))?.key ?? start);
      const isLast = this.#row("seekBehind", upTo, end) === undefined;
      const ids = rows.map((row) => this.#number(row.id)).filter((each) => each > id);
      return { start, upTo, ids: ids.toSorted((one, other) => one - other), isLast };
    });
  }

  async find(tag: string, page: PageRequest): Promise<ScanPage> {
    checkTag(tag);
    checkPage(page);
    return this.#guard("read", () => {
      const rows = this.#rows("find", tag, idOfCursor(page.after), page.limit + 1);
      const found = rows.slice(0, page.limit);
      const next = rows.length > page.limit ? String(this.#number(found.at(-1)?.id)) : null;
      return { entries: found.map((row) => this.#decode(row)), next };
    });
  }

  async commit(writes: readonly Write[]): Promise<readonly number[]> {
    checkWrites(writes);
    if (writes.length === 0) return [];
    if (this.#queue !== null) return this.#queue.add(writes);
    const [outcome = []] = this.#commitAll([writes]);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  async sweep(swaths: readonly string[], version: number): Promise<number> {
    if (swaths.length === 0) return 0;
    return this.#unflushed(() =>
      this.#commitAs(() => {
        const counts = swaths.map((swath) =>
          this.#number(this.#statement("sweep").run(swath, version).changes),
        );
        this.#hasWritten = true;
        return counts.reduce((sum, count) => sum + count, 0);
      }),
    );
  }

  async claim(request: ClaimRequest): Promise<readonly StoredEntry[]> {
    checkClaim(request);
    // Where nothing can be claimed, no lock is taken: workers ask far more often than there is something to do.
    const next = await this.nextDue();
    if (next === null || next > request.now) return [];
    return this.#transaction("write", () => this.#claimDue(request));
  }

  async release(keys: readonly string[], owner: string): Promise<void> {
    for (const key of keys) checkKey(key);
    if (keys.length === 0) return;
    this.#transaction("write", () => {
      for (const key of keys) this.#run("release", key, owner);
    });
  }

  async nextDue(): Promise<number | null> {
    return this.#guard("read", () => {
      const row = this.#row("nextDue");
      const times = [row?.unclaimed, row?.claimed].filter((at) => at !== null).map((at) => this.#number(at));
      return times.length === 0 ? null : Math.min(...times);
    });
  }

  async writes(): Promise<number> {
    return this.#guard("read", () => this.#number(this.#row("puts")?.puts));
  }

  async close(): Promise<void> {
    this.#queue?.flush();
    const database = this.#database;
    this.#database = null;
    this.#statements.clear();
    if (database === null) return;
    this.#guard("close", () =>
      this.#keepsLog && this.#hasWritten ? closeKeepingLog(database, this.#file) : database.close(),
    );
  }

  #commitAll(batches: readonly (readonly Write[])[]): readonly CommitOutcome[] {
    return this.#commitAs(() => batches.map((writes) => this.#commitOne(writes)));
  }

  /** What is committed in `body` is not flushed to disk before the next commit is. */
  #unflushed<T>(body: () => T): T {
    const database = this.#open();
    database.exec(UNFLUSHED);
    try {
      return body();
    } finally {
      database.exec(this.#keepsLog ? FLUSHED_SHORT : FLUSHED);
    }
  }

  #commitAs<T>(apply: () => T): T {
    failpoint("store:commit");
    const applied = this.#transaction("write", () => {
      const result = apply();
      failpoint("store:written");
      return result;
    });
    failpoint("store:committed");
    return applied;
  }

  /** Within a transaction. What fails its preconditions has not changed anything. */
  #commitOne(writes: readonly Write[]): CommitOutcome {
    if (!writes.every((write) => this.#isAtVersion(write))) return conflictError();
    const versions = this.#apply(writes);
    this.#hasWritten = true;
    return versions;
  }

  #isAtVersion({ key, expect }: Write): boolean {
    if (expect === undefined) return true;
    const row = this.#row("version", key);
    return expect === (row === undefined ? ABSENT : this.#number(row.version));
  }

  #apply(writes: readonly Write[]): number[] {
    const versions: number[] = [];
    let puts = this.#number(this.#row("puts")?.puts);
    for (const write of writes) {
      if (write.op === "delete") this.#run("delete", write.key);
      if (write.op !== "put") continue;
      puts += 1;
      this.#run("put", write.key, write.value, puts, write.dueAt ?? null, ...tagColumns(write.tags));
      versions.push(puts);
    }
    if (versions.length > 0) this.#run("setPuts", puts);
    return versions;
  }

  /**
   * Claims that have lapsed are ended first, which puts their entries back in the order of due times. Each is ended once,
   * so this costs no more than the claiming did. A claim is stored as ending no earlier than its entry is due.
   */
  #claimDue({ now, limit, owner, until }: ClaimRequest): readonly StoredEntry[] {
    this.#run("endLapsed", now);
    return this.#rows("due", now, limit).map((row) => {
      const entry = this.#decode(row);
      this.#run("claim", owner, Math.max(until, entry.dueAt ?? until), this.#number(row.id));
      return entry;
    });
  }

  /** Runs `body` in a transaction, which it either completes or leaves no trace of. */
  #transaction<T>(action: "read" | "write", body: () => T): T {
    const database = this.#open();
    return this.#guard(action, () => {
      database.exec(TRANSACTION[action]);
      try {
        const result = body();
        database.exec(TRANSACTION.commit);
        return result;
      } catch (error) {
        rollBack(database);
        throw error;
      }
    });
  }

  #guard<T>(action: string, body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw storeError(error, action, this.#file);
    }
  }

  #open(): DatabaseSync {
    if (this.#database === null)
      throw new VsecError("STORE_IO", `the store ${this.#file} has been closed: open it again`);
    return this.#database;
  }

  #statement(name: Statement): StatementSync {
    const database = this.#open();
    const cached = this.#statements.get(name);
    if (cached !== undefined) return cached;
    const statement = database.prepare(SQL[name]);
    this.#statements.set(name, statement);
    return statement;
  }

  #row(name: Statement, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(name).get(...values);
  }

  #rows(name: Statement, ...values: SQLInputValue[]): readonly Row[] {
    return this.#statement(name).all(...values);
  }

  #run(name: Statement, ...values: SQLInputValue[]): void {
    this.#statement(name).run(...values);
  }

  #decode(row: Row): StoredEntry {
    const { value, due_at: dueAt } = row;
    if (!(value instanceof Uint8Array)) throw damagedError(this.#file);
    return {
      key: this.#text(row.key),
      value,
      version: this.#number(row.version),
      dueAt: dueAt === null ? null : this.#number(dueAt),
    };
  }

  #text(value: unknown): string {
    if (typeof value !== "string") throw damagedError(this.#file);
    return value;
  }

  #number(value: unknown): number {
    if (!Number.isSafeInteger(value)) throw damagedError(this.#file);
    return value as number;
  }
}

/** @param after - What {@link SqliteStorage.find} gave as the next page's cursor. */
function idOfCursor(after: string | undefined): number {
  const id = Number(after ?? 0);
  if (!Number.isSafeInteger(id) || id < 0)
    throw new RangeError("a storage cursor must be one that a page handed out");
  return id;
}

const NO_TAGS: readonly null[] = Array.from({ length: TAGS_MAX }, () => null);

function tagColumns(tags: readonly string[] | undefined): readonly (string | null)[] {
  return tags === undefined ? NO_TAGS : [...tags, ...NO_TAGS.slice(tags.length)];
}
