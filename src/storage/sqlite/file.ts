/** The store's file as the file system sees it: making it, and refusing one that others could read or swap. */
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { messageOf, VsecError } from "../../base/errors.ts";

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
/** Any access of group or others. */
const OTHERS = 0o077;

/**
 * Makes an empty file of mode 0600, and its directory with 0700, where they are missing. What is there stays as it is.
 * SQLite gives its `-wal` and `-shm` files the same mode.
 * @throws STORE_PERMISSIONS, STORE_READ_ONLY, STORE_FULL or STORE_IO.
 */
export function createFile(file: string): void {
  const directory = dirname(file);
  try {
    const made = mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
    if (made !== undefined) syncDirectory(dirname(made));
    checkDirectory(file);
    closeSync(openSync(file, "wx", FILE_MODE));
    syncDirectory(directory);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw fileError(error, "create", file);
  }
}

/**
 * Refuses a store that somebody else could read, write or replace.
 * @throws STORE_MISSING, STORE_PERMISSIONS, STORE_FOREIGN (not a file) or STORE_IO.
 */
export function checkFile(file: string): void {
  checkDirectory(file);
  const stats = statOf(file, lstatSync, file);
  if (stats.isSymbolicLink())
    throw new VsecError("STORE_PERMISSIONS", `the store ${file} is a symbolic link: name the file itself`);
  if (!stats.isFile())
    throw new VsecError(
      "STORE_FOREIGN",
      `${file} is not a vsec store but a ${stats.isDirectory() ? "directory" : "special file"}: name a file`,
    );
  checkAccess(file, stats, "the store", FILE_MODE);
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw fileError(error, "open", file);
  }
}

function checkDirectory(file: string): void {
  const directory = dirname(file);
  const stats = statOf(directory, statSync, file);
  checkAccess(directory, stats, "the store's directory", DIRECTORY_MODE);
}

function checkAccess(path: string, stats: Stats, what: string, mode: number): void {
  const user = process.geteuid?.();
  if (user === undefined) return; // Windows: modes say nothing there.
  if (stats.uid !== user)
    throw new VsecError(
      "STORE_PERMISSIONS",
      `${what} ${path} belongs to user ${stats.uid}, and this process runs as user ${user}: run vsec as its owner`,
    );
  if ((stats.mode & OTHERS) !== 0)
    throw new VsecError(
      "STORE_PERMISSIONS",
      `${what} ${path} has mode ${modeText(stats.mode)}, which lets others in: run chmod ${modeText(mode)} ${quoted(path)}`,
    );
}

function statOf(path: string, stat: (path: string) => Stats, file: string): Stats {
  try {
    return stat(path);
  } catch (error) {
    throw fileError(error, "open", file);
  }
}

/** Makes a new name in a directory outlast a power cut. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function fileError(error: unknown, action: string, file: string): unknown {
  const text = (advice: string): string => `cannot ${action} the store ${file}: ${advice}`;
  switch (errnoOf(error)) {
    case undefined:
      return error;
    case "ENOENT":
      return missingError(file);
    case "EACCES":
    case "EPERM":
      return new VsecError("STORE_PERMISSIONS", text("this user may not; run vsec as its owner"), {
        cause: error,
      });
    case "EROFS":
      return new VsecError("STORE_READ_ONLY", text("its file system is read-only"), { cause: error });
    case "ENOSPC":
    case "EDQUOT":
      return new VsecError("STORE_FULL", text("its disk is full; free some space, and try again"), {
        cause: error,
      });
    default:
      return new VsecError("STORE_IO", text(messageOf(error)), { cause: error });
  }
}

/** No store here yet. */
export function missingError(file: string): VsecError {
  return new VsecError(
    "STORE_MISSING",
    `there is no store at ${file}: run 'vsec operator init' to create one`,
  );
}

function errnoOf(error: unknown): string | undefined {
  if (error instanceof VsecError || !(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function modeText(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w./@%+:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
