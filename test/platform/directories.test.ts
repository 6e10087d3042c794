import { expect, test } from "bun:test";
import { homedir } from "node:os";
import { isAbsolute } from "node:path";
import { directoriesFor, systemDirectories } from "../../src/platform/directories.ts";

test.each([
  ["Linux", "linux", {}, ["/home/u/.local/share/vsec", "/home/u/.config/vsec", null]],
  [
    "Linux with the XDG variables",
    "linux",
    { XDG_DATA_HOME: "/d", XDG_CONFIG_HOME: "/c", XDG_RUNTIME_DIR: "/r" },
    ["/d/vsec", "/c/vsec", "/r/vsec"],
  ],
  [
    "Linux with relative or empty XDG variables, which do not count",
    "linux",
    { XDG_DATA_HOME: "d", XDG_CONFIG_HOME: "", XDG_RUNTIME_DIR: "./r" },
    ["/home/u/.local/share/vsec", "/home/u/.config/vsec", null],
  ],
  [
    "macOS",
    "darwin",
    {},
    ["/home/u/Library/Application Support/vsec", "/home/u/Library/Application Support/vsec", null],
  ],
  [
    "macOS with an XDG variable",
    "darwin",
    { XDG_CONFIG_HOME: "/c" },
    ["/home/u/Library/Application Support/vsec", "/c/vsec", null],
  ],
  [
    "Windows",
    "win32",
    { LOCALAPPDATA: "/local", APPDATA: "/roaming" },
    ["/local/vsec", "/roaming/vsec", null],
  ],
  [
    "Windows without its variables",
    "win32",
    {},
    ["/home/u/AppData/Local/vsec", "/home/u/AppData/Roaming/vsec", null],
  ],
] as const)("the directories on %s", (_, platform, env, [data, config, runtime]) => {
  expect(directoriesFor({ env, platform, home: "/home/u" })).toEqual({ data, config, runtime });
});

test("this process's directories are absolute", () => {
  const { data, config } = systemDirectories();
  expect([isAbsolute(homedir()), isAbsolute(data), isAbsolute(config)]).toEqual([true, true, true]);
});
