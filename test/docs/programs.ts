/** Programs that pages show, and that not every machine has. */

import { existsSync } from "node:fs";
import { join } from "node:path";

/** Why a program cannot be run here; undefined: it can. */
export function programMissing(name: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(":");
  return folders.some((folder) => existsSync(join(folder, name))) ? undefined : `no ${name} here`;
}
