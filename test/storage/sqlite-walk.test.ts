/** Walks over more keys than a stretch has. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { Storage } from "../../src/storage/port.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { STRETCH_KEYS } from "../../src/storage/sqlite/walk.ts";
import { keysOf, put } from "./entries.ts";
import { makeDirectory, removeDirectory } from "./places.ts";

const COUNT = 2 * STRETCH_KEYS + 500;
/** In an order that is not that of the rows. */
const keyOf = (index: number): string => `f/${String((index * 7919) % COUNT).padStart(6, "0")}`;
const ALL = Array.from({ length: COUNT }, (_, index) => keyOf(index)).toSorted();

let directory: string;
let storage: Storage;
beforeAll(async () => {
  directory = makeDirectory();
  storage = openSqliteStorage({ file: join(directory, "store.db"), create: true });
  await storage.commit(Array.from({ length: COUNT }, (_, index) => put(keyOf(index), "")));
});
afterAll(async () => {
  await storage.close();
  removeDirectory(directory);
});

test("each stretch is in the order of its rows, and all of them together give each entry once", async () => {
  const pages = await Array.fromAsync(storage.walk("f/", { limit: 1000 }));
  const entries = pages.flatMap((page) => page.entries);
  expect(keysOf(entries).toSorted()).toEqual(ALL);
  const turns = entries.filter((entry, index) => entry.version < (entries[index - 1]?.version ?? 0));
  expect(turns).toHaveLength(2);
});

test.each(["", "x", "[]", '["f/1",null]', '["g/1",null,0]', '["f/1",7,0]', '["f/1",null,"0"]'])(
  "a cursor that no page has handed out is refused: %j",
  async (after) => {
    await expect(storage.walk("f/", { limit: 1, after }).next()).rejects.toThrow(RangeError);
  },
);

test("pages that are swept one by one, each by a walk of its own, give each entry once", async () => {
  const seen: string[] = [];
  for (let after: string | undefined; ; ) {
    const request = after === undefined ? { limit: 3000 } : { limit: 3000, after };
    const { value: page } = await storage.walk("f/", request).next();
    seen.push(...keysOf(page?.entries ?? []));
    await storage.sweep([page?.swath ?? "[]"], COUNT);
    if (page?.next === null || page === undefined) break;
    after = page.next;
  }
  expect(seen.toSorted()).toEqual(ALL);
  expect((await storage.scan("f/", { limit: 1 })).entries).toEqual([]);
});
