import { chmodSync, copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./run.ts";

/** Copies a file, making its directory. */
export function place(from: string, to: string, mode = 0o644): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o755 });
  copyFileSync(from, to);
  chmodSync(to, mode);
}

/** The names of the manual pages, below `man/`. */
export function manualPages(): readonly string[] {
  return readdirSync(join(ROOT, "man")).filter((name) => name.endsWith(".1"));
}
