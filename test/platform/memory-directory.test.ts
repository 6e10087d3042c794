import { afterEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeMemoryDirectory } from "../../src/platform/memory-directory.ts";
import { systemProcesses } from "../../src/platform/processes.ts";

describe("A directory in memory", () => {
  const made: { remove(): void }[] = [];
  afterEach(() => {
    for (const directory of made.splice(0)) directory.remove();
  });
  const make = () => {
    const directory = makeMemoryDirectory(null);
    made.push(directory);
    return directory;
  };

  test("has private files, and goes with them", () => {
    const directory = make();
    directory.write("a", "text");
    expect(statSync(join(directory.path, "a")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(directory.path, "a"), "utf8")).toBe("text");
    directory.remove();
    expect(existsSync(directory.path)).toBe(false);
  });

  test("has programs that can be started", () => {
    const place = make().addProgram("hello", "#!/bin/sh\necho hello\n");
    if (place === null) return; // Mounted so that nothing on it is started.
    expect(spawnSync(join(place, "hello"), { encoding: "utf8" }).stdout).toBe("hello\n");
  });

  test("goes with the next one when its process was killed, and not while that is there", () => {
    const alive = make();
    const abandoned = make();
    const self = systemProcesses().self();
    if (self === null) return; // A system where nothing tells one process from a later one.
    const dead = { ...self, startedAt: "1" };
    abandoned.write(".owner", JSON.stringify(dead));
    make();
    expect([alive, abandoned].map(({ path }) => existsSync(path))).toEqual([true, false]);
  });

  test("somebody else's directory of that name is left alone", () => {
    const strange = make();
    writeFileSync(join(strange.path, ".owner"), "no identity", { mode: 0o600 });
    make();
    expect(existsSync(strange.path)).toBe(true);
  });
});
