/** Directories for stores, and file systems of their own for the tests that need a full or read-only one. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStorage, type SqliteStorageOptions } from "../../src/storage/sqlite/sqlite-storage.ts";
import type { OpenedStorage } from "./contract.ts";

/** A new directory of mode 0700. */
export function makeDirectory(): string {
  return mkdtempSync(join(tmpdir(), "vsec-storage-"));
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

/** A fresh SQLite store in a directory of its own. */
export async function openFresh(options: Omit<SqliteStorageOptions, "file"> = {}): Promise<OpenedStorage> {
  const directory = makeDirectory();
  const storage = openSqliteStorage({ ...options, file: join(directory, "store.db"), create: true });
  return {
    storage,
    dispose: async () => {
      await storage.close();
      removeDirectory(directory);
    },
  };
}

function mount(...parts: readonly string[]): boolean {
  return spawnSync("mount", parts, { stdio: "ignore" }).status === 0;
}

export interface Mount {
  readonly directory: string;
  makeReadOnly(): void;
  dispose(): void;
}

/** A small file system in memory; undefined where this user may not mount one. */
export function mountSmall(bytes: number): Mount | undefined {
  const directory = makeDirectory();
  if (!mount("-t", "tmpfs", "-o", `size=${bytes},mode=0700`, "tmpfs", directory)) {
    removeDirectory(directory);
    return undefined;
  }
  return {
    directory,
    makeReadOnly: () => {
      if (!mount("-o", "remount,ro", directory)) throw new RangeError("cannot remount read-only");
    },
    dispose: () => {
      spawnSync("umount", ["-l", directory], { stdio: "ignore" });
      removeDirectory(directory);
    },
  };
}

/** Whether {@link mountSmall} works here, found out once by doing it. */
export const canMount = ((): boolean => {
  const mounted = mountSmall(65_536);
  mounted?.dispose();
  return mounted !== undefined;
})();

/** The mount, where {@link canMount} said there would be one. */
export function mustMount(bytes: number): Mount {
  const mounted = mountSmall(bytes);
  if (mounted === undefined) throw new RangeError("mounting worked before, and does not now");
  return mounted;
}
