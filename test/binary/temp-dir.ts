import { afterAll } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** Makes folders that last as long as the test file that calls this. Files below `bin/` and `dist/` may be run. */
export function tempDirs(): (files?: Readonly<Record<string, string>>) => string {
  const made: string[] = [];
  afterAll(() => {
    for (const dir of made) rmSync(dir, { recursive: true, force: true });
  });
  return (files = {}) => {
    const dir = mkdtempSync(path.join(tmpdir(), "vsec-binary-"));
    made.push(dir);
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(dir, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
      if (/(?:^|\/)(?:bin|dist)\//.test(name)) chmodSync(file, 0o755);
    }
    return dir;
  };
}
