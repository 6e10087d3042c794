import { describe, expect, test } from "bun:test";
import path from "node:path";
import { ROOT, run } from "../binary/built.ts";
import { tempDirs } from "../binary/temp-dir.ts";

const tempDir = tempDirs();

const PASSING = 'import { test } from "bun:test";\ntest("holds", () => {});\n';

/** Runs the test runner over test files of its own. */
function runTests(files: Readonly<Record<string, string>>, env: Record<string, string> = {}) {
  const dir = tempDir(files);
  const { code, stdout } = run(process.execPath, [path.join(ROOT, "scripts", "test.ts"), dir], dir, env);
  return { code, stdout, last: stdout.trimEnd().split("\n").at(-1) };
}

describe("the test runner", () => {
  test("counts what passed in every file and ends with the sum", () => {
    const { code, last } = runTests({
      "a.test.ts": PASSING,
      "deep/b.test.ts": PASSING,
      "deep/not-a-test.ts": "throw 1;",
    });
    expect({ code, last }).toEqual({ code: 0, last: "2 passed, 0 failed, 0 skipped" });
  });

  test("names what was skipped, with its group", () => {
    const source = `import { describe, test } from "bun:test";
      describe("needs a server (none here)", () => { test.skip("talks & <listens>", () => {}); });
      test("holds", () => {});`;
    const { code, stdout, last } = runTests({ "a.test.ts": source });
    expect({ code, last }).toEqual({ code: 0, last: "1 passed, 0 failed, 1 skipped" });
    expect(stdout).toContain("needs a server (none here) > talks & <listens>\n");
  });

  test.each([
    [
      "a failed test",
      'import { expect, test } from "bun:test";\ntest("x", () => { expect(1).toBe(2); });\n',
      "> x",
    ],
    ["a file that cannot be loaded", 'import "./missing.ts";\n', "> (the file) exit code 1"],
    ["a file without a test", "export {};\n", "> (the file) ended without a test"],
    [
      "a file that dies",
      'import { test } from "bun:test";\ntest("x", () => { process.kill(process.pid, "SIGKILL"); });\n',
      "> (the file) died by SIGKILL",
    ],
    [
      "a file that leaves early, as if all were well",
      'import { test } from "bun:test";\ntest("x", () => { process.exit(0); });\n',
      "> (the file) ended without a test",
    ],
  ])("%s fails, and costs the others nothing", (_, source, says) => {
    const { code, stdout, last } = runTests({ "bad.test.ts": source, "good.test.ts": PASSING });
    expect({ code, last }).toEqual({ code: 1, last: "1 passed, 1 failed, 0 skipped" });
    expect(stdout).toContain(says);
  });

  test("a file that hangs is ended at its limit", () => {
    const source = 'import { test } from "bun:test";\ntest("x", () => { for (;;); });\n';
    const { code, stdout, last } = runTests({ "a.test.ts": source }, { TEST_FILE_TIMEOUT_MS: "1500" });
    expect({ code, last }).toEqual({ code: 1, last: "0 passed, 1 failed, 0 skipped" });
    expect(stdout).toContain("> (the file) took longer than 1.5 s");
  });

  test("nothing to run is a failure, and so is nothing but skipped tests", () => {
    const skipped = 'import { test } from "bun:test";\ntest.skip("x", () => {});\n';
    expect(runTests({ "none.ts": PASSING })).toMatchObject({
      code: 1,
      last: "0 passed, 0 failed, 0 skipped",
    });
    expect(runTests({ "a.test.ts": skipped })).toMatchObject({
      code: 1,
      last: "0 passed, 0 failed, 1 skipped",
    });
  });

  test("a test sees no setting, home or temporary folder of the person who runs it", () => {
    const source = `import { expect, test } from "bun:test";
      import { tmpdir } from "node:os";
      test("x", () => {
        expect(process.env.VSEC_TOKEN).toBeUndefined();
        expect(process.env.VAULT_TOKEN).toBeUndefined();
        expect(process.env.HOME?.startsWith(tmpdir() + "/")).toBe(true);
      });`;
    const { code } = runTests({ "a.test.ts": source }, { VSEC_TOKEN: "mine", VAULT_TOKEN: "mine" });
    expect(code).toBe(0);
  });
});
