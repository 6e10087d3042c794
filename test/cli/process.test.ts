import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryHome } from "./fake-world.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");

/** Runs a shell line in which `$VSEC` is the program, in an empty home. */
function shell(line: string) {
  using home = temporaryHome();
  const env = { PATH: process.env.PATH, HOME: home.path, VSEC: `${process.execPath} ${MAIN}` };
  const ran = spawnSync("bash", ["-c", line], { encoding: "utf8", env });
  return { status: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}

test.each(["version", "-v", "-version", "--version", "version -x"])("%s prints one line", (args) => {
  const ran = shell(`$VSEC ${args}`);
  expect([ran.status, ran.stderr]).toEqual([0, ""]);
  expect(ran.stdout).toMatch(/^vsec v\S+ \(\S+\), built \S+\n$/);
});

test("the way to the version loads nothing but the version", () => {
  const imports = (file: string) =>
    [...readFileSync(file, "utf8").matchAll(/^import .* from "(.*)";$/gm)].map((match) => match[1]);
  // The descriptor is written to directly: the stream of standard output would load more than this.
  expect(imports(MAIN)).toEqual(["node:fs", "./contract/version.ts"]);
  expect(imports(join(MAIN, "../contract/version.ts"))).toEqual([]);
});

test("the exit code of a command is that of the process", () => {
  expect(shell("$VSEC nope").status).toBe(127);
  expect(shell("$VSEC write x").status).toBe(1);
  expect(shell("$VSEC version -h")).toMatchObject({ status: 0, stderr: "" });
});

test("a pipe whose reader is gone is success, without a word", () => {
  // The reader takes one line and ends; only once it is gone does the program write.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's variable.
  const reader = "coproc { read -r _; }; pid=$COPROC_PID; exec 5>&${COPROC[1]}; echo >&5; wait $pid";
  const ran = shell(`${reader}; $VSEC -h >&5; echo $?`);
  expect([ran.stdout, ran.stderr]).toEqual(["0\n", ""]);
});

test.skipIf(!existsSync("/dev/full"))("a full device is an error, not a stack trace", () => {
  const ran = shell("$VSEC -h > /dev/full");
  expect(ran.status).toBe(1);
  expect(ran.stderr).toMatch(/^could not write the output: no space left on device\n$/);
});
