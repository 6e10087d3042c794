import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, copyFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { VsecError } from "../../src/base/errors.ts";
import { type Storage, TAGS_MAX } from "../../src/storage/port.ts";
import { APPLICATION_ID, FORMAT } from "../../src/storage/sqlite/schema.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { put } from "./entries.ts";
import { makeDirectory, removeDirectory } from "./places.ts";

const PAGE_BYTES = 4096;
const ENTRY_COUNT = 300;

let directory: string;
let file: string;

beforeEach(async () => {
  directory = makeDirectory();
  file = join(directory, "store.db");
  const storage = openSqliteStorage({ file, create: true });
  await storage.commit(
    Array.from({ length: ENTRY_COUNT }, (_, index) =>
      put(`lease/${index}`, "x".repeat(200), { dueAt: index, tags: tagsOf(index) }),
    ),
  );
  await storage.close();
});

afterEach(() => removeDirectory(directory));

/** All of them, so that each index of tags has an entry. */
function tagsOf(index: number): string[] {
  return Array.from({ length: TAGS_MAX }, (_, place) => `tag ${place} ${index}`);
}

/** Opens the file with SQLite alone and changes it. */
function alter(sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

function writeStore(content: Uint8Array): void {
  writeFileSync(file, content);
  for (const suffix of ["-wal", "-shm"]) removeDirectory(file + suffix);
}

/** Opens the store and does everything once. The code of the failure, or undefined. Anything but a VsecError is thrown on. */
async function useEverything(): Promise<string | undefined> {
  let storage: Storage | undefined;
  try {
    storage = openSqliteStorage({ file, busyTimeoutMs: 100 });
    await storage.list("", { limit: 10 });
    await storage.scan("", { limit: 1000 });
    for (let index = 0; index < ENTRY_COUNT; index += 1) await storage.get(`lease/${index}`);
    for (let index = 0; index < ENTRY_COUNT; index += 1) {
      for (const tag of tagsOf(index)) await storage.find(tag, { limit: 10 });
    }
    await storage.nextDue();
    await storage.claim({ now: 1000, limit: 1000, owner: "w", until: 2000 });
    await storage.commit([put("lease/new"), { op: "delete", key: "lease/7" }]);
    await storage.release(["lease/8"], "w");
    return undefined;
  } catch (error) {
    if (error instanceof VsecError) return error.code;
    throw error;
  } finally {
    await storage?.close();
  }
}

/** Opening must fail with this code, with the path in its message, and must leave the file as it was. */
function expectRefused(code: string, text: string): void {
  const before = readFileSync(file);
  const refused = { code, message: expect.stringMatching(new RegExp(`store\\.db.*${text}`, "u")) };
  for (const create of [false, true])
    expect(() => openSqliteStorage({ file, create })).toThrow(expect.objectContaining(refused));
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(readdirSync(directory).filter((name) => !name.startsWith("store.db"))).toEqual([]);
}

test("an undamaged store takes everything that these tests do to a damaged one", async () => {
  expect(await useEverything()).toBeUndefined();
});

test.each([
  ["text", Buffer.from("this is a letter to a friend. ".repeat(50))],
  ["a few bytes", Buffer.from("SQLite")],
  ["noise", Buffer.alloc(3 * PAGE_BYTES, 0xa5)],
])("a file of %s is refused as damaged", (_, content) => {
  writeStore(content);
  expectRefused("STORE_CORRUPT", "damaged.*restore a backup");
});

test("a damaged header is refused as damaged", () => {
  const content = readFileSync(file);
  content.fill(0xff, 0, 16);
  writeStore(content);
  expectRefused("STORE_CORRUPT", "damaged");
});

test.each([0.25, 0.5, 0.9])(
  "a store cut to %f of its length is found to be damaged, not read as a shorter one",
  async (part) => {
    truncateSync(file, Math.floor(readFileSync(file).length * part));
    expect(await useEverything()).toBe("STORE_CORRUPT");
  },
);

test("a page of noise in any place is found to be damaged by whoever meets it", async () => {
  const content = readFileSync(file);
  for (let page = 1; page < content.length / PAGE_BYTES; page += 1) {
    const damaged = Buffer.from(content).fill(0xa5, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    writeStore(damaged);
    expect([page, await useEverything()]).toEqual([page, "STORE_CORRUPT"]);
  }
});

test("bytes flipped anywhere never crash it, and every failure has a code", async () => {
  const content = readFileSync(file);
  const flips = fc.array(fc.tuple(fc.nat(content.length - 1), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(flips, async (places) => {
      const damaged = Buffer.from(content);
      for (const [offset, mask] of places) damaged[offset] = (damaged[offset] ?? 0) ^ mask;
      writeStore(damaged);
      expect([
        "STORE_CORRUPT",
        "STORE_FOREIGN",
        "STORE_TOO_NEW",
        "STORE_TOO_OLD",
        "STORE_IO",
        undefined,
      ]).toContain(await useEverything());
    }),
    { numRuns: process.env.SLOW === "1" ? 2000 : 60 },
  );
}, 120_000);

test("a log that is cut or damaged costs at most its last batches, and no batch is applied in part", async () => {
  const storage = openSqliteStorage({ file });
  for (let round = 1; round <= 10; round += 1) {
    await storage.commit([put("left", String(round)), put("right", String(round))]);
  }
  const [main, log] = [readFileSync(file), readFileSync(`${file}-wal`)];
  await storage.close();
  for (const keptBytes of [0, 10, 32, 5000, log.length / 2, log.length - 1]) {
    writeStore(main);
    writeFileSync(`${file}-wal`, log.subarray(0, Math.floor(keptBytes)), { mode: 0o600 });
    const reopened = openSqliteStorage({ file });
    const [left, right] = [await reopened.get("left"), await reopened.get("right")];
    expect(left?.value).toEqual(right?.value);
    expect((await reopened.scan("lease/", { limit: 1000 })).entries).toHaveLength(ENTRY_COUNT);
    await reopened.close();
  }
});

test.each([
  ["a missing table", "DROP TABLE counter"],
  ["a missing column", "ALTER TABLE entry DROP COLUMN claim_owner"],
  ["a missing index", "DROP INDEX entry_due"],
  ["a missing row", "DELETE FROM counter"],
])("%s is reported as damage", async (_, sql) => {
  alter(sql);
  expect(await useEverything()).toBe("STORE_CORRUPT");
});

test("a version that no number can hold is reported as damage", async () => {
  alter("UPDATE entry SET version = 9007199254740993 WHERE key = 'lease/1'");
  expect(await useEverything()).toBe("STORE_CORRUPT");
});

test("a store of a newer format is refused, and told from a damaged one", () => {
  alter(`PRAGMA user_version = ${FORMAT + 1}`);
  expectRefused("STORE_TOO_NEW", `format ${FORMAT + 1}.*up to ${FORMAT}.*newer vsec`);
});

test("a store of an older format is refused, with what to do about it", () => {
  alter(`PRAGMA user_version = ${FORMAT - 1}`);
  expectRefused("STORE_TOO_OLD", `format ${FORMAT - 1}.*format ${FORMAT} only.*make a new store`);
});

test("a store whose format was lost is refused as damaged", () => {
  alter("PRAGMA user_version = 0");
  expectRefused("STORE_CORRUPT", "damaged");
});

test.each([
  ["without an application id", "CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')"],
  ["with another application id", "PRAGMA application_id = 252006674"],
  ["with tables like ours", "CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB); PRAGMA user_version = 1"],
])("another program's SQLite file, %s, is refused and left alone", (_, sql) => {
  writeStore(new Uint8Array(0));
  alter(sql);
  chmodSync(file, 0o600);
  expectRefused("STORE_FOREIGN", "another program's SQLite file");
});

test("a copy made by SQLite itself is a store with the same entries, and logs ahead again", async () => {
  alter(`VACUUM INTO '${join(directory, "copy.db")}'`);
  const copy = join(directory, "copy.db");
  chmodSync(copy, 0o600);
  copyFileSync(copy, file);
  const storage = openSqliteStorage({ file });
  expect((await storage.scan("", { limit: 1000 })).entries).toHaveLength(ENTRY_COUNT);
  await storage.commit([put("new")]);
  expect(readdirSync(directory)).toContain("store.db-wal");
  await storage.close();
});

test("the file says whose it is and which format it has", () => {
  const header = readFileSync(file);
  expect(header.subarray(68, 72).toString("latin1")).toBe("vsec");
  expect([header.readUInt32BE(68), header.readUInt32BE(60)]).toEqual([APPLICATION_ID, FORMAT]);
});
