import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import lockfile from "../../package-lock.json" with { type: "json" };
import { ReleaseFailed, ROOT, runIn } from "./run.ts";
import type { Target } from "./targets.ts";

interface Locked {
  readonly version: string;
  readonly integrity?: string;
}

/**
 * The Bun of a kind of machine, of the version and with the content that the lock file has.
 * @returns The path of its executable, in a cache that later releases find again.
 * @throws ReleaseFailed when what was downloaded is something else.
 */
export function runtimeOf(target: Target): string {
  const locked = (lockfile.packages as Readonly<Record<string, Locked>>)[`node_modules/${target.runtime}`];
  if (locked?.integrity === undefined)
    throw new ReleaseFailed(`${target.runtime} is not in package-lock.json`);
  const name = `${target.runtime.replace("@oven/", "")}-${locked.version}`;
  const cache = join(ROOT, ".cache", "runtimes");
  const executable = join(cache, name, "bin", target.os === "win32" ? "bun.exe" : "bun");
  if (existsSync(executable)) return executable;
  const work = join(cache, `.${name}.${process.pid}`);
  mkdirSync(work, { recursive: true });
  try {
    const archive = join(
      work,
      runIn(work, "npm", ["pack", "--silent", `${target.runtime}@${locked.version}`]).trim(),
    );
    requireIntegrity(archive, locked.integrity);
    runIn(work, "tar", ["-xzf", archive]);
    renameSync(join(work, "package"), join(cache, name));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  chmodSync(executable, 0o755);
  return executable;
}

/** @param integrity - As lock files have it: the algorithm, a dash, the digest in base64 (W3C Subresource Integrity). */
function requireIntegrity(file: string, integrity: string): void {
  const dash = integrity.indexOf("-");
  const digest = createHash(integrity.slice(0, dash)).update(readFileSync(file)).digest("base64");
  if (digest !== integrity.slice(dash + 1))
    throw new ReleaseFailed(`${file} is not the package that package-lock.json names`);
}
