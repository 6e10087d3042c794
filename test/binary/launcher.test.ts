import { describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { ROOT, run } from "./built.ts";
import { tempDirs } from "./temp-dir.ts";

const tempDir = tempDirs();

const LAUNCHER = {
  "bin/vsec.js": readFileSync(path.join(ROOT, "bin", "vsec.js"), "utf8"),
  "package.json": '{"type":"module"}',
};
const PLATFORM_PACKAGE = `@vsec/${process.platform}-${process.arch}`;

/** Installs the launcher beside a stand-in for the binary and starts it with Node, as npm does. */
function launch(
  binary: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): ReturnType<typeof run> {
  const dir = tempDir({ ...LAUNCHER, "dist/vsec": binary });
  return run("node", [path.join(dir, "bin", "vsec.js"), ...args], dir, env);
}

describe("the launcher", () => {
  test("passes on the arguments, the streams and the exit code", () => {
    const ended = launch('#!/bin/sh\nprintf "<%s>" "$@"\necho talk >&2\nexit 7\n', [
      "read",
      "-field=a b",
      "",
      "x",
    ]);
    expect(ended).toEqual({ code: 7, stdout: "<read><-field=a b><><x>", stderr: "talk\n" });
  });

  test("takes away what would make the binary run other code, and nothing else", () => {
    const hostile = { BUN_OPTIONS: "--preload ./x.ts", BUN_BE_BUN: "1", BUN_INSPECT: "localhost:1" };
    const { stdout } = launch("#!/bin/sh\nenv\n", [], { ...hostile, VSEC_TOKEN: "kept" });
    const names = stdout.split("\n").map((line) => line.split("=")[0]);
    expect(names.filter((name) => name?.startsWith("BUN_"))).toEqual([]);
    expect(names).toContain("VSEC_TOKEN");
  });

  test("dies of the signal that the binary died of", async () => {
    const dir = tempDir({ ...LAUNCHER, "dist/vsec": "#!/bin/sh\nkill -TERM $$\n" });
    const child = spawn("node", [path.join(dir, "bin", "vsec.js")], { stdio: "ignore" });
    expect(await once(child, "exit")).toEqual([null, "SIGTERM"]);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "passes on %s and lets the binary end in its own way",
    async (signal) => {
      const binary = `#!/usr/bin/env node
      process.on("${signal}", () => { process.stdout.write("tidied"); process.exitCode = 3; clearInterval(timer); });
      const timer = setInterval(() => {}, 1000);
      process.stdout.write("ready\\n");`;
      const dir = tempDir({ ...LAUNCHER, "dist/vsec": binary, "dist/package.json": '{"type":"module"}' });
      const child = spawn("node", [path.join(dir, "bin", "vsec.js")], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let stdout = "";
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        if (stdout === "") child.kill(signal);
        stdout += chunk;
      });
      expect(await once(child, "close")).toEqual([3, null]);
      expect(stdout).toBe("ready\ntidied");
    },
  );

  test("finds the binary in the platform's package", () => {
    const dir = tempDir({
      ...LAUNCHER,
      [`node_modules/${PLATFORM_PACKAGE}/package.json`]: `{"name":"${PLATFORM_PACKAGE}"}`,
      [`node_modules/${PLATFORM_PACKAGE}/bin/vsec`]: "#!/bin/sh\necho installed\n",
    });
    expect(run("node", [path.join(dir, "bin", "vsec.js")], dir)).toEqual({
      code: 0,
      stdout: "installed\n",
      stderr: "",
    });
  });

  test("says what to do when there is no binary", () => {
    const dir = tempDir(LAUNCHER);
    expect(run("node", [path.join(dir, "bin", "vsec.js")], dir)).toEqual({
      code: 1,
      stdout: "",
      stderr: `vsec: there is no binary for this machine: install ${PLATFORM_PACKAGE}, or run \`make build\` in a checkout\n`,
    });
  });

  test("says so when the binary cannot be started", () => {
    const { code, stderr } = launch("#!/nonexistent/interpreter\n");
    expect({ code, says: stderr.includes("cannot be started") }).toEqual({ code: 1, says: true });
  });
});
