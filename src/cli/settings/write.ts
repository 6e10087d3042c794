import { basename, dirname, extname } from "node:path";
import type Conf from "conf";
import { makePrivateDirectory } from "../../platform/files.ts";
import { readSettings } from "./read.ts";

/** A person's settings, to be changed: written in one step, readable by their owner alone. */
export type Settings = Conf<Record<string, string>>;

/** @throws VsecError when the file that is there cannot be trusted. */
export async function openSettings(path: string): Promise<Settings> {
  readSettings(path);
  makePrivateDirectory(dirname(path));
  const { default: ConfStore } = await import("conf");
  return new ConfStore<Record<string, string>>({
    cwd: dirname(path),
    configName: basename(path, extname(path)),
    fileExtension: extname(path).slice(1),
    configFileMode: 0o600,
    // Names have no dots that would mean a path.
    accessPropertiesByDotNotation: false,
  });
}
