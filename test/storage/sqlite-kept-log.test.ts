import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { storageContract } from "./contract.ts";
import { makeDirectory, openFresh, removeDirectory } from "./places.ts";

storageContract("sqlite, keeping its log", () => openFresh({ keepsLog: true }));

describe("a store whose short commands keep the log", () => {
  let directory = "";
  let file = "";
  beforeEach(() => {
    directory = makeDirectory();
    file = join(directory, "store.db");
  });
  afterEach(() => removeDirectory(directory));

  async function put(key: string, value: string): Promise<void> {
    const storage = openSqliteStorage({ file, create: true, keepsLog: true });
    await storage.commit([{ op: "put", key, value: Buffer.from(value) }]);
    await storage.close();
  }

  test("has what was written in the log, and the next command finds it", async () => {
    await put("a", "one");
    const before = readFileSync(file);
    await put("b", "two");
    expect(readFileSync(file)).toEqual(before);
    expect(statSync(`${file}-wal`).mode & 0o777).toBe(0o600);
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
    const storage = openSqliteStorage({ file });
    expect((await storage.get("a"))?.value).toEqual(Buffer.from("one"));
    expect((await storage.get("b"))?.value).toEqual(Buffer.from("two"));
    await storage.close();
  });

  test("is merged by the next close of whoever does not keep it", async () => {
    await put("a", "one");
    const storage = openSqliteStorage({ file });
    await storage.commit([{ op: "put", key: "b", value: Buffer.from("two") }]);
    await storage.close();
    expect(() => statSync(`${file}-wal`)).toThrow("ENOENT");
  });

  test("does not let the log grow without bound", async () => {
    const value = "x".repeat(100_000);
    for (let round = 0; round < 120; round += 1) await put("same", `${round}${value}`);
    expect(statSync(`${file}-wal`).size).toBeLessThan(8_000_000);
  });
});
