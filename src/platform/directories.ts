import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Where vsec keeps its things. None of these is created by asking. */
export interface Directories {
  /** The store. */
  readonly data: string;
  /** Configuration and key files. */
  readonly config: string;
  /** Sockets, and what must not outlive the session; null where the system has no such place. */
  readonly runtime: string | null;
}

export interface DirectoriesOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The user's home, absolute. */
  readonly home: string;
}

/**
 * The user's directories: `XDG_*` when set to an absolute path, else the system's custom.
 * @see XDG Base Directory Specification 0.8: a relative path in a variable must be ignored.
 */
export function directoriesFor(options: DirectoriesOptions): Directories {
  const { env, platform, home } = options;
  const given = (name: string): string | undefined => {
    const value = env[name];
    return value !== undefined && isAbsolute(value) ? value : undefined;
  };
  const custom = customDirectories(platform, home, given);
  const runtime = given("XDG_RUNTIME_DIR");
  return {
    data: join(given("XDG_DATA_HOME") ?? custom.data, "vsec"),
    config: join(given("XDG_CONFIG_HOME") ?? custom.config, "vsec"),
    runtime: runtime === undefined ? null : join(runtime, "vsec"),
  };
}

function customDirectories(
  platform: NodeJS.Platform,
  home: string,
  given: (name: string) => string | undefined,
): { data: string; config: string } {
  if (platform === "darwin") {
    const support = join(home, "Library", "Application Support");
    return { data: support, config: support };
  }
  if (platform === "win32") {
    return {
      data: given("LOCALAPPDATA") ?? join(home, "AppData", "Local"),
      config: given("APPDATA") ?? join(home, "AppData", "Roaming"),
    };
  }
  return { data: join(home, ".local", "share"), config: join(home, ".config") };
}

/** {@link directoriesFor} this process. */
export function systemDirectories(): Directories {
  return directoriesFor({ env: process.env, platform: process.platform, home: homedir() });
}
