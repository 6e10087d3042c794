/** Opening the file: settings, and whose file and which format it is. Reads one page, whatever the store holds. */
import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { VsecError } from "../../base/errors.ts";
import { damagedError, isLocked, isNotWritable, storeError } from "./errors.ts";
import { missingError } from "./file.ts";
import {
  ANY_TABLE,
  APPLICATION_ID,
  CONFIGURE,
  CREATE,
  FLUSHED,
  FLUSHED_SHORT,
  FORMAT,
  TRANSACTION,
  USE_WRITE_AHEAD_LOG,
} from "./schema.ts";

export interface ConnectionOptions {
  readonly file: string;
  /** Whether a blank file becomes a store. */
  readonly create: boolean;
  readonly busyTimeoutMs: number;
  /** Whether the connection is a short command's. */
  readonly isShort: boolean;
}

/** How SQLite opens the file. Never with leave to create it: that would be with a mode we did not choose. */
type OpenMode = Readonly<Record<string, string>>;
const READ_WRITE: OpenMode = { mode: "rw" };
const IMMUTABLE: OpenMode = { mode: "ro", immutable: "1" };

/** @throws STORE_MISSING, STORE_FOREIGN, STORE_TOO_NEW, STORE_TOO_OLD, STORE_CORRUPT, STORE_LOCKED, STORE_READ_ONLY, STORE_FULL, STORE_IO. */
export function connect(options: ConnectionOptions): DatabaseSync {
  try {
    return openAs(READ_WRITE, options);
  } catch (error) {
    if (!isNotWritable(error) || !isReadOnlyDirectory(options.file))
      throw storeError(error, "open", options.file);
    return connectImmutable(options, error);
  }
}

/**
 * On a read-only file system SQLite cannot make the index of its log. Where there is no log, and the
 * directory can take none, the file is read as one that never changes. Reads work then, and writes fail with
 * STORE_READ_ONLY. (Where it is written through another mount after all, such a reader has to open it anew.)
 */
function connectImmutable(options: ConnectionOptions, cause: unknown): DatabaseSync {
  if (sizeOf(`${options.file}-wal`) > 0)
    throw new VsecError(
      "STORE_READ_ONLY",
      `cannot open the store ${options.file}: its last changes are still in its -wal file, and merging them needs a ` +
        "writable file system: make it writable, or copy both files to one that is",
      { cause },
    );
  try {
    return openAs(IMMUTABLE, { ...options, create: false });
  } catch (error) {
    throw storeError(error, "open", options.file);
  }
}

function openAs(mode: OpenMode, options: ConnectionOptions): DatabaseSync {
  const url = pathToFileURL(options.file);
  for (const [name, value] of Object.entries(mode)) url.searchParams.set(name, value);
  const database = new DatabaseSync(url, { timeout: options.busyTimeoutMs });
  try {
    database.exec(CONFIGURE + (options.isShort ? FLUSHED_SHORT : FLUSHED));
    checkFormat(database, options);
    if (mode === READ_WRITE) useWriteAheadLog(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function checkFormat(database: DatabaseSync, options: ConnectionOptions): void {
  if (options.create && isBlank(database)) createTables(database);
  // Looked at first: another process may be making the store, and its tables and their mark come in one transaction.
  const wasBlank = isBlank(database);
  const applicationId = pragma(database, "application_id");
  const format = pragma(database, "user_version");
  if (applicationId === 0 && wasBlank) throw missingError(options.file);
  if (applicationId !== APPLICATION_ID)
    throw new VsecError(
      "STORE_FOREIGN",
      `${options.file} is not a vsec store but another program's SQLite file: name another file`,
    );
  if (typeof format !== "number" || format < 1) throw damagedError(options.file);
  if (format > FORMAT)
    throw new VsecError(
      "STORE_TOO_NEW",
      `the store ${options.file} has format ${format}, and this vsec knows formats up to ${FORMAT}: install a newer vsec`,
    );
  if (format < FORMAT)
    throw new VsecError(
      "STORE_TOO_OLD",
      `the store ${options.file} has format ${format}, from before vsec's first release, and this vsec knows format ${FORMAT} ` +
        "only: revoke its leases with the vsec that made it, and make a new store",
    );
}

/** Several processes may come here at once: the first to get the lock makes the tables, and the others find them. */
function createTables(database: DatabaseSync): void {
  database.exec(TRANSACTION.write);
  try {
    if (isBlank(database)) database.exec(CREATE);
    database.exec(TRANSACTION.commit);
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

/**
 * Closes without merging the log into the file. The last connection to close would do that, which costs two flushes to disk
 * and more for the next one, which has to make the log anew: most of what a short command spends. A connection that may not
 * write is left to be the last: it can merge nothing. The log is merged by whoever's commit lets it grow too long.
 */
export function closeKeepingLog(database: DatabaseSync, file: string): void {
  const keeper = openReader(file);
  try {
    database.close();
  } finally {
    keeper?.close();
  }
}

/** Undefined where there is no reading: then the log is merged after all. */
function openReader(file: string): DatabaseSync | undefined {
  try {
    const reader = new DatabaseSync(file, { readOnly: true });
    // Only with the first read is the log opened.
    reader.prepare(ANY_TABLE).get();
    return reader;
  } catch {
    return undefined;
  }
}

/** How often others may get in the way, who each have to open the store at just that moment. */
const WAL_TRIES_MAX = 100;

/** The file remembers the mode; it has to be set for a new file, and for one that was made by VACUUM INTO. */
function useWriteAheadLog(database: DatabaseSync): void {
  for (let tries = 1; pragma(database, "journal_mode") !== "wal"; tries += 1) {
    try {
      database.exec(USE_WRITE_AHEAD_LOG);
    } catch (error) {
      // A file that can only be read keeps its mode.
      if (isNotWritable(error)) return;
      if (!isLocked(error) || tries === WAL_TRIES_MAX) throw error;
      // Unlike a transaction this does not wait for a writer, such as another process that is making the same store.
      database.exec(TRANSACTION.write);
      database.exec(TRANSACTION.rollBack);
    }
  }
}

/** Nobody's file yet: nobody has put his mark or a table into it. */
function isBlank(database: DatabaseSync): boolean {
  return (
    pragma(database, "application_id") === 0 &&
    pragma(database, "user_version") === 0 &&
    database.prepare(ANY_TABLE).get() === undefined
  );
}

function pragma(database: DatabaseSync, name: string): unknown {
  return database.prepare(`PRAGMA ${name}`).get()?.[name];
}

/** Ends the transaction without a trace, if SQLite has not done so itself. */
export function rollBack(database: DatabaseSync): void {
  try {
    database.exec(TRANSACTION.rollBack);
  } catch {
    // After some errors SQLite has already rolled back. The first error is the one to report.
  }
}

function isReadOnlyDirectory(file: string): boolean {
  try {
    accessSync(dirname(file), constants.W_OK);
    return false;
  } catch {
    return true; // Why it cannot be written does not matter here.
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
