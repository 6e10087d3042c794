import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statfsSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { systemReason, VsecError } from "../base/errors.ts";
import type { PrivateFiles, PrivateRead } from "../base/private-files.ts";

/** Windows has neither modes nor owners here; the profile's access lists guard its files. */
const HAS_MODES = process.platform !== "win32";
const GROUP_AND_OTHERS = 0o077;
const WRITE_OF_GROUP_AND_OTHERS = 0o022;

/** File system types of statfs(2) that live in memory: tmpfs, and ramfs. */
const MEMORY_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** Private files on this machine's disk. */
export const systemFiles: PrivateFiles = {
  read: readPrivateFile,
  write: writePrivateFile,
  remove: removeFile,
  makeDirectory: makePrivateDirectory,
  isInMemory,
};

/** See {@link PrivateFiles.read}. The checks are made on the opened file, so that it cannot be swapped in between. */
export function readPrivateFile(path: string, options: PrivateRead): Uint8Array | null {
  const links = options.followLinks === true ? 0 : constants.O_NOFOLLOW;
  let file: number;
  try {
    // A FIFO without O_NONBLOCK would wait for a writer.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | links);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    if (code === "ELOOP") throw new VsecError("FILE", `${path} is a symbolic link; name the file itself`);
    throw fileError("read", path, error);
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new VsecError("FILE", `${path} is not a regular file`);
    checkPrivate(path, stats, GROUP_AND_OTHERS, "600");
    return readUpTo(file, path, options.bytesMax);
  } catch (error) {
    throw fileError("read", path, error);
  } finally {
    closeSync(file);
  }
}

function readUpTo(file: number, path: string, bytesMax: number): Uint8Array {
  const buffer = Buffer.alloc(bytesMax + 1);
  let length = 0;
  for (;;) {
    const count = readSync(file, buffer, length, buffer.length - length, null);
    if (count === 0) return Uint8Array.from(buffer.subarray(0, length));
    length += count;
    if (length > bytesMax) throw new VsecError("FILE", `${path} is larger than ${bytesMax} bytes`);
  }
}

/** See {@link PrivateFiles.write}. Written beside its place, synced, and moved there; then the directory is synced. */
export function writePrivateFile(
  path: string,
  data: Uint8Array,
  options: { readonly replace: boolean },
): void {
  const draft = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    writeDraft(draft, data);
    // A link fails where a file stands already; a rename would replace it.
    if (options.replace) renameSync(draft, path);
    else linkSync(draft, path);
    syncDirectory(dirname(path));
  } catch (error) {
    if (errnoOf(error) === "EEXIST") throw new VsecError("FILE", `${path} is there already`);
    throw fileError("write", path, error);
  } finally {
    rmSync(draft, { force: true });
  }
}

function writeDraft(draft: string, data: Uint8Array): void {
  const file = openSync(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    for (let at = 0; at < data.length; ) at += writeSync(file, data, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes the directory's entries last. Windows cannot open a directory for that, and keeps them with its journal. */
function syncDirectory(path: string): void {
  if (!HAS_MODES) return;
  const directory = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** See {@link PrivateFiles.remove}. */
export function removeFile(path: string): boolean {
  try {
    rmSync(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return false;
    throw fileError("remove", path, error);
  }
}

/** See {@link PrivateFiles.makeDirectory}. */
export function makePrivateDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const stats = lstatSync(path);
    if (!stats.isDirectory()) throw new VsecError("FILE", `${path} is not a directory`);
    checkPrivate(path, stats, WRITE_OF_GROUP_AND_OTHERS, "700");
  } catch (error) {
    throw fileError("create", path, error);
  }
}

/** See {@link PrivateFiles.isInMemory}. False where it cannot be told. */
export function isInMemory(directory: string): boolean {
  if (process.platform !== "linux") return false;
  try {
    // The type is 32 bits wide, and comes with its sign on some machines.
    return MEMORY_FILE_SYSTEMS.has(statfsSync(directory).type >>> 0);
  } catch {
    // A directory that cannot be looked at keeps nothing in memory.
    return false;
  }
}

/**
 * @param forbidden - Mode bits that must be clear.
 * @param wanted - The mode to advise, octal.
 * @throws STORE_PERMISSIONS when a bit is set, or the owner is neither this user nor root.
 */
function checkPrivate(path: string, stats: Stats, forbidden: number, wanted: string): void {
  if (!HAS_MODES) return;
  const user = process.geteuid?.() ?? 0;
  if (stats.uid !== user && stats.uid !== 0) {
    const text = `${path} belongs to user ${stats.uid}, and this process runs as user ${user}`;
    throw new VsecError("STORE_PERMISSIONS", text);
  }
  if ((stats.mode & forbidden) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, "0");
    const text = `${path} is open to others (mode ${mode}); run: chmod ${wanted} ${path}`;
    throw new VsecError("STORE_PERMISSIONS", text);
  }
}

function fileError(verb: string, path: string, error: unknown): VsecError {
  if (error instanceof VsecError) return error;
  return new VsecError("FILE", `cannot ${verb} ${path}: ${systemReason(error)}`, { cause: error });
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
