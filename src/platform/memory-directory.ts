import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isInMemory, makePrivateDirectory, writePrivateFile } from "./files.ts";

/** A directory of private files that goes when its user does. */
export interface MemoryDirectory {
  readonly path: string;
  /** False: it lies on a disk, for want of a file system in memory. */
  readonly isInMemory: boolean;
  /** Writes a file with mode 0600, in one step. @throws VsecError FILE. */
  write(name: string, text: string): void;
  remove(): void;
}

/**
 * Makes a directory with mode 0700 in memory where there is such a place: the user's runtime directory, else /dev/shm; else
 * where temporary files go. So a secret is on no disk, and gone with the next start of the machine at the latest.
 * @param runtime - The user's runtime directory; null: none.
 * @throws VsecError FILE, STORE_PERMISSIONS.
 */
export function makeMemoryDirectory(runtime: string | null): MemoryDirectory {
  const parent = place(runtime);
  const path = mkdtempSync(join(parent, "vsec-run-"));
  return {
    path,
    isInMemory: isInMemory(path),
    write: (name, text) => writePrivateFile(join(path, name), Buffer.from(text), { replace: true }),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
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
