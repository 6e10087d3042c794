import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ABSENT, type Storage } from "../../src/storage/port.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { temporaryDirectory } from "../servers/process.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let file: string;
let storage: Storage;
beforeEach(() => {
  directory = temporaryDirectory("vsec-together-");
  file = join(directory.path, "store", "store.db");
  storage = openSqliteStorage({ file, create: true });
});
afterEach(async () => {
  await storage.close();
  directory.remove();
});

const put = (key: string, expectVersion: number) =>
  storage.commit([{ op: "put", key, value: new Uint8Array(1), expect: expectVersion }]);

/** How many transactions the log holds: the last frame of each says how large the database is after it. */
function transactions(): number {
  const log = readFileSync(`${file}-wal`);
  const pageBytes = log.readUInt32BE(8);
  let count = 0;
  for (let at = 32; at < log.length; at += 24 + pageBytes) if (log.readUInt32BE(at + 4) > 0) count += 1;
  return count;
}

test("commits of one turn share a transaction, and a lost race among them harms no other", async () => {
  await put("a", ABSENT);
  const before = transactions();
  const outcomes = await Promise.allSettled([put("b", ABSENT), put("a", ABSENT), put("c", ABSENT)]);
  expect(transactions() - before).toBe(1);
  expect(outcomes).toMatchObject([
    { status: "fulfilled" },
    { status: "rejected", reason: { code: "STORE_CONFLICT" } },
    { status: "fulfilled" },
  ]);
  const kept = await Promise.all(["a", "b", "c"].map((key) => storage.get(key)));
  expect(kept.map((entry) => entry?.version)).toEqual([1, 2, 3]);
});

test("of two commits of one turn that expect the same, the first wins", async () => {
  const [first, second] = await Promise.allSettled([put("a", ABSENT), put("a", ABSENT)]);
  expect(first).toMatchObject({ status: "fulfilled", value: [1] });
  expect(second).toMatchObject({ status: "rejected", reason: { code: "STORE_CONFLICT" } });
});

test("a commit that was asked for before the store was closed is in it", async () => {
  const committed = put("a", ABSENT);
  await storage.close();
  expect(await committed).toEqual([1]);
  storage = openSqliteStorage({ file });
  expect((await storage.get("a"))?.version).toBe(1);
});
