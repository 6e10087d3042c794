import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { built, compile, occurrences, ROOT, run } from "./built.ts";
import { tempDirs } from "./temp-dir.ts";

const tempDir = tempDirs();

/** A folder in which anything that behaves like Bun would run foreign code and take over foreign variables. */
const HOSTILE = {
  "bunfig.toml": 'preload = ["./preload.ts"]\n',
  "preload.ts": 'require("node:fs").writeFileSync("marker", "ran");\n',
  ".env": "HOSTILE=loaded\nVSEC_TOKEN=hostile\n",
  "tsconfig.json": "{ this is not json",
  "package.json": '{ "type": "commonjs" }\n',
  "probe.ts": 'process.stdout.write(process.env.HOSTILE ?? "clean");\n',
};
const PROBE = { "src/main.ts": HOSTILE["probe.ts"] };

/** Every failpoint's name in the sources. */
function failpointNames(): readonly string[] {
  return readdirSync(path.join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(path.join(ROOT, "src", file), "utf8"))
    .flatMap((text) => [...text.matchAll(/\bfailpoint\("([^"]+)"\)/g)])
    .map(([, name = ""]) => name);
}

describe("the release binary", () => {
  test("says its version, commit and commit time in one line", () => {
    const { code, stdout, stderr } = run(built("vsec"), ["version"], tempDir());
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [, version, built_] = /^vsec v(\S+) \([\w-]+\), built (\S+)\n$/.exec(stdout) ?? [];
    expect(version).toBe(manifest.version);
    expect(built_).toMatch(/^(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|unknown)$/);
  });

  test.each(["version", "-version", "status", "read database/creds/x"])(
    "%s runs nothing that lies in the current folder",
    (line) => {
      const dir = tempDir(HOSTILE);
      run(built("vsec"), line.split(" "), dir, { HOME: dir });
      expect(existsSync(path.join(dir, "marker"))).toBe(false);
    },
  );

  test("takes no token from a .env of the current folder", () => {
    const dir = tempDir(HOSTILE);
    const clean = tempDir();
    expect(run(built("vsec"), ["print", "token"], dir, { HOME: clean }).stdout.trim()).toBe("");
    expect(
      run(built("vsec"), ["print", "token"], dir, { HOME: clean, VSEC_TOKEN: "mine" }).stdout.trim(),
    ).toBe("mine");
  });

  test("holds no failpoint, not even a name; the one for crash tests holds them all", () => {
    const wanted = ["VSEC_FAILPOINT", ...failpointNames()];
    const inRelease = wanted.filter((name) => occurrences(built("vsec"), name) > 0);
    const inCrashTests = wanted.filter((name) => occurrences(built("vsec-failpoints"), name) > 0);
    expect({ inRelease, inCrashTests }).toEqual({ inRelease: [], inCrashTests: wanted });
  });

  test("does not say where it was built", () => {
    // A checkout in a folder like /src may stand in Bun itself, by chance.
    expect(occurrences(built("vsec"), ROOT)).toBe(occurrences(process.execPath, ROOT));
  });
});

describe("the build", () => {
  let probe = "";
  beforeAll(async () => {
    const dir = tempDir(PROBE);
    probe = path.join(dir, "out", "probe");
    expect(await compile(path.join(dir, "src", "main.ts"), probe)).toMatchObject({ code: 0 });
  });

  test("the hostile folder is one: Bun itself runs its code and loads its variables", () => {
    const dir = tempDir({ ...HOSTILE, "tsconfig.json": "{}" });
    expect(run(process.execPath, ["probe.ts"], dir).stdout).toBe("loaded");
    expect(existsSync(path.join(dir, "marker"))).toBe(true);
  });

  test("what is built loads neither the code nor the variables of the current folder", () => {
    const dir = tempDir(HOSTILE);
    expect(run(probe, [], dir)).toEqual({ code: 0, stdout: "clean", stderr: "" });
    expect(existsSync(path.join(dir, "marker"))).toBe(false);
  });

  test("BUN_OPTIONS is still obeyed, which is why the launcher and the daemon's unit take it away", () => {
    const dir = tempDir(HOSTILE);
    run(probe, [], dir, { BUN_OPTIONS: "--preload ./preload.ts" });
    expect(existsSync(path.join(dir, "marker"))).toBe(true);
  });

  test("the same sources give the same bytes in another folder", async () => {
    const dir = tempDir(PROBE);
    const again = path.join(dir, "elsewhere", "other-name");
    await compile(path.join(dir, "src", "main.ts"), again);
    expect(Buffer.compare(readFileSync(again), readFileSync(probe))).toBe(0);
  });

  test("a failpoint that could not be taken out stops the build", async () => {
    const dir = tempDir({
      "src/main.ts": "declare const failpoint: (n: string) => boolean;\nif (failpoint('a:b')) {}\n",
    });
    const { code, stderr } = await compile(path.join(dir, "src", "main.ts"), path.join(dir, "out", "probe"));
    expect(code).toBe(1);
    expect(stderr).toContain("write a failpoint as a statement of its own");
  });
});
