/**
 * Which programs may run: none, unless the machine's operator has put them into one folder. Whoever may configure a
 * connection through the API does not thereby get to run `/bin/sh` as the user of the daemon.
 */

import type { Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { badRequest } from "../../../../base/errors.ts";
import { DatabaseError } from "../../plugin.ts";

export const PLUGIN_DIRECTORY_DEFAULT = "/usr/local/lib/vsec/plugins";
const VARIABLE = "VSEC_PLUGIN_DIRECTORY";

/** Where this machine's operator keeps the permitted programs. @param configured - `VSEC_PLUGIN_DIRECTORY`. */
export function pluginDirectory(configured: string | undefined): string {
  return configured === undefined || configured === "" ? PLUGIN_DIRECTORY_DEFAULT : path.resolve(configured);
}

/** Refuses a program that is not below the folder by its name. @throws ApiError 400. */
export function checkPlace(program: string, directory: string): void {
  if (program.startsWith(`${directory}${path.sep}`)) return;
  throw badRequest(
    `program must lie in ${directory}, where this machine's operator permits programs (${VARIABLE} names another folder)`,
  );
}

/**
 * Checks that nobody but root and this process's own user can have put the program there, or can replace it: it, every
 * folder above it, and where symbolic links lead.
 * @returns The file to run.
 * @throws DatabaseError `unreachable`, saying which file or folder is in the way.
 */
export async function requirePermitted(program: string, directory: string): Promise<string> {
  const own = process.geteuid?.();
  if (own === undefined) throw refusal("exec plugins need a system with file owners");
  await checkChain(directory, own);
  // The names below the folder, before links are followed: who may change one chooses what runs.
  await checkChain(path.dirname(program), own);
  const target = await realpath(program).catch(() => {
    throw refusal(`the program ${program} does not exist`);
  });
  await checkChain(target, own);
  const stats = await stat(target);
  if (!stats.isFile() || (stats.mode & 0o111) === 0) throw refusal(`${program} is not an executable file`);
  return target;
}

async function checkChain(start: string, own: number): Promise<void> {
  const resolved = await realpath(start).catch(() => {
    throw refusal(`${start} does not exist`);
  });
  for (let place = resolved; ; place = path.dirname(place)) {
    const reason = whyUnsafe(await stat(place), own);
    if (reason !== undefined) throw refusal(`${place} ${reason}`);
    if (path.dirname(place) === place) return;
  }
}

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

function whyUnsafe(stats: Stats, own: number): string | undefined {
  if (stats.uid !== 0 && stats.uid !== own)
    return "belongs neither to root nor to the user that vsec runs as";
  // In a sticky folder nobody replaces what is another's.
  const isSticky = stats.isDirectory() && (stats.mode & STICKY) !== 0;
  return (stats.mode & WRITABLE_BY_OTHERS) !== 0 && !isSticky ? "can be written by others" : undefined;
}

function refusal(reason: string): DatabaseError {
  return new DatabaseError("unreachable", `the program is not permitted: ${reason}`);
}
