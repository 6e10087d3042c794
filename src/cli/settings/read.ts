import { join } from "node:path";
import { VsecError } from "../../base/errors.ts";
import { isJsonObject, parseJson } from "../../base/json.ts";
import { type Env, readVariable } from "../../contract/environment.ts";
import { SETTINGS } from "../../contract/settings.ts";
import { systemDirectories } from "../../platform/directories.ts";
import { readPrivateFile } from "../../platform/files.ts";

const FILE_BYTES_MAX = 65_536;

/** Where a person's settings are. */
export function settingsPath(env: Env): string {
  return readVariable(env, "VSEC_CONFIG") ?? join(systemDirectories().config, "config.json");
}

/**
 * What a person has set, by the settings' names. Every command reads it, so that is done without a library.
 * @throws VsecError FILE when it is not what `vsec config` writes; STORE_PERMISSIONS when others could have written it: who
 *   chooses the address gets the token.
 */
export function readSettings(path: string): ReadonlyMap<string, string> {
  const bytes = readPrivateFile(path, { bytesMax: FILE_BYTES_MAX, followLinks: true });
  if (bytes === null) return new Map();
  const entries = entriesOf(bytes, path);
  const wrong = entries.find(([name, value]) => typeof value !== "string" || !isSetting(name));
  if (wrong !== undefined)
    throw new VsecError(
      "FILE",
      `${path}: ${JSON.stringify(wrong[0])} is no setting; correct the file, or delete it`,
    );
  return new Map(entries as [string, string][]);
}

function entriesOf(bytes: Uint8Array, path: string): readonly [string, unknown][] {
  try {
    const value = parseJson(Buffer.from(bytes).toString("utf8"));
    if (isJsonObject(value)) return Object.entries(value);
  } catch {
    // What is wrong with it says nothing to a person who did not write it.
  }
  throw new VsecError("FILE", `${path} is not a file of settings; correct it, or delete it`);
}

function isSetting(name: string): boolean {
  return SETTINGS.some((setting) => setting.name === name);
}

/** The environment, with what a person has set where a variable says nothing. @throws what {@link readSettings} throws. */
export function withSettings(env: Env): Env {
  const settings = readSettings(settingsPath(env));
  if (settings.size === 0) return env;
  const defaults = SETTINGS.flatMap(({ name, variable }) => {
    const value = settings.get(name);
    return value === undefined || readVariable(env, variable) !== undefined ? [] : [[variable, value]];
  });
  return { ...env, ...Object.fromEntries(defaults) };
}
