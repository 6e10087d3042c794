import {
  accessSync,
  chmodSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processIdentityOf } from "../base/processes.ts";
import { isInMemory, makePrivateDirectory, readPrivateFile, writePrivateFile } from "./files.ts";
import { systemProcesses } from "./processes.ts";

/** A directory of private files that goes when its user does. */
export interface MemoryDirectory {
  readonly path: string;
  /** False: it lies on a disk, for want of a file system in memory. */
  readonly isInMemory: boolean;
  /** Writes a file with mode 0600, in one step. @throws VsecError FILE. */
  write(name: string, text: string): void;
  /**
   * Makes a script that its user can start.
   * @returns The directory it is in, for a search path; null where nothing can be started from this file system.
   * @throws VsecError FILE.
   */
  addProgram(name: string, text: string): string | null;
  remove(): void;
}

const NAME = "vsec-run-";
/** Who made a directory: a process that was killed could not remove it. */
const OWNER_FILE = ".owner";
const OWNER_BYTES_MAX = 4096;
const PROGRAMS = "bin";

/**
 * Makes a directory with mode 0700 in memory where there is such a place: the user's runtime directory, else /dev/shm; else
 * where temporary files go. So a secret is on no disk, and gone with the next start of the machine at the latest; with the next
 * directory, where its process was killed.
 * @param runtime - The user's runtime directory; null: none.
 * @throws VsecError FILE, STORE_PERMISSIONS.
 */
export function makeMemoryDirectory(runtime: string | null): MemoryDirectory {
  const parent = place(runtime);
  removeAbandoned(parent);
  const path = mkdtempSync(join(parent, NAME));
  const write = (name: string, text: string): void =>
    writePrivateFile(join(path, name), Buffer.from(text), { replace: true });
  const owner = systemProcesses().self();
  if (owner !== null) write(OWNER_FILE, JSON.stringify(owner));
  return {
    path,
    isInMemory: isInMemory(path),
    write,
    addProgram(name, text) {
      mkdirSync(join(path, PROGRAMS), { recursive: true, mode: 0o700 });
      const program = join(PROGRAMS, name);
      write(program, text);
      chmodSync(join(path, program), 0o700);
      return canBeStarted(join(path, program)) ? join(path, PROGRAMS) : null;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** False on a file system that is mounted so that nothing on it is started. */
function canBeStarted(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Removes this user's directories whose process is gone. */
function removeAbandoned(parent: string): void {
  const processes = systemProcesses();
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(NAME)) continue;
    const path = join(parent, name);
    try {
      if (lstatSync(path).uid !== process.getuid?.()) continue;
      const owner = ownerOf(path);
      if (owner !== null && processes.liveness(owner) === "dead")
        rmSync(path, { recursive: true, force: true });
    } catch {
      // Gone meanwhile, or not to be read: it is somebody else's to remove.
    }
  }
}

function ownerOf(directory: string) {
  const bytes = readPrivateFile(join(directory, OWNER_FILE), { bytesMax: OWNER_BYTES_MAX });
  return bytes === null ? null : processIdentityOf(JSON.parse(Buffer.from(bytes).toString("utf8")));
}

function place(runtime: string | null): string {
  if (runtime !== null) {
    try {
      makePrivateDirectory(runtime);
      if (isInMemory(runtime)) return runtime;
    } catch {
      // A runtime directory that is named but not there is as good as none.
    }
  }
  return isInMemory("/dev/shm") ? "/dev/shm" : tmpdir();
}
