import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

test("manual pages, completions and reference pages are in step with the declarations", () => {
  const script = join(import.meta.dir, "../../scripts/generate-docs.ts");
  const ran = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  expect([ran.stderr, ran.status]).toEqual(["", 0]);
});
