import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runnableBinaries } from "./postgres-binaries.ts";
import { runToEnd, serverUser, temporaryDirectory } from "./process.ts";

const user = serverUser("postgres");
const copies: string[] = [];
afterAll(() => {
  for (const copy of copies) rmSync(copy, { recursive: true });
});

/** A package below a folder of mode `mode`, whose one program does nothing. */
function packageBelow(mode: number): string {
  const { path } = temporaryDirectory("vsec-binaries-");
  const bin = join(path, "native", "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(path, "package.json"), JSON.stringify({ version: path.slice(-6) }));
  writeFileSync(join(bin, "postgres"), "#!/bin/sh\n", { mode: 0o755 });
  chmodSync(path, mode);
  return path;
}

test("programs that the servers' user can reach are run where they are", () => {
  const root = packageBelow(0o755);
  expect(runnableBinaries(root, user)).toBe(join(root, "native", "bin"));
});

test.skipIf(user === undefined)(
  "programs below a folder of root's own are run from a copy, made once",
  () => {
    const root = packageBelow(0o700);
    const binaries = runnableBinaries(root, user);
    copies.push(join(binaries, "..", ".."));
    expect(binaries).not.toStartWith(root);
    runToEnd(user, [join(binaries, "postgres")]);
    rmSync(join(root, "native"), { recursive: true });
    expect(runnableBinaries(root, user)).toBe(binaries);
  },
);
