import { type ErrorCode, messageOf, VsecError } from "../../base/errors.ts";

/** SQLite's primary result codes that have a meaning of their own here. @see https://sqlite.org/rescode.html */
const SQLITE = {
  ERROR: 1,
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  MISMATCH: 20,
  NOTADB: 26,
} as const;

/** Extended codes of SQLITE_IOERR that are not a failing disk. */
const IOERR = { SHORT_READ: 522, SHM_SIZE: 4874, DATA: 8202, CORRUPT_FS: 8458 } as const;

const ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = {
  STORE_LOCKED: "another process keeps it locked: try again, and if it stays, look for a process that hangs",
  STORE_READ_ONLY: "the file or its file system is read-only: make it writable, and try again",
  STORE_FULL: "its disk is full: nothing was written; free some space, and try again",
  STORE_CORRUPT: "the file is damaged: keep a copy of it and of its -wal file, and restore a backup",
  STORE_IO: "its disk or file system failed: look into the system's log",
};

/** The code for one of SQLite's extended result codes. */
function codeFor(errcode: number): ErrorCode {
  if (errcode === IOERR.SHM_SIZE) return "STORE_FULL";
  if (errcode === IOERR.SHORT_READ || errcode === IOERR.DATA || errcode === IOERR.CORRUPT_FS)
    return "STORE_CORRUPT";
  switch (errcode & 0xff) {
    case SQLITE.BUSY:
    case SQLITE.LOCKED:
      return "STORE_LOCKED";
    case SQLITE.READONLY:
      return "STORE_READ_ONLY";
    case SQLITE.FULL:
      return "STORE_FULL";
    // Our statements are fixed, so one that does not fit means that the file's tables are not as we made them.
    case SQLITE.ERROR:
    case SQLITE.CORRUPT:
    case SQLITE.MISMATCH:
    case SQLITE.NOTADB:
      return "STORE_CORRUPT";
    default:
      return "STORE_IO";
  }
}

/** SQLite's extended result code of something thrown by `node:sqlite`; undefined for anything else. */
export function sqliteCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}

/** True when SQLite could not open, create or change the files it needs. */
export function isNotWritable(error: unknown): boolean {
  const primary = (sqliteCodeOf(error) ?? 0) & 0xff;
  return primary === SQLITE.READONLY || primary === SQLITE.CANTOPEN;
}

/** True when another connection has a lock that is in the way. */
export function isLocked(error: unknown): boolean {
  return ((sqliteCodeOf(error) ?? 0) & 0xff) === SQLITE.BUSY;
}

/**
 * What to throw for a failure of `node:sqlite`.
 * @param action - What was being done, as in "cannot <action> the store".
 */
export function storeError(error: unknown, action: string, file: string): unknown {
  const errcode = sqliteCodeOf(error);
  if (errcode !== undefined) {
    const code = codeFor(errcode);
    const text = `cannot ${action} the store ${file}: ${ADVICE[code]} (SQLite: ${messageOf(error)}, code ${errcode})`;
    return new VsecError(code, text, { cause: error });
  }
  // A number that a JavaScript number cannot hold: we never write one.
  if (error instanceof Error && "code" in error && error.code === "ERR_OUT_OF_RANGE")
    return damagedError(file, error);
  return error;
}

/** The file can be read, but does not hold what we wrote. */
export function damagedError(file: string, cause?: unknown): VsecError {
  return new VsecError("STORE_CORRUPT", `cannot read the store ${file}: ${ADVICE.STORE_CORRUPT}`, { cause });
}
