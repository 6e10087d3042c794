/** That the work of a store does not grow with its entries: by SQLite's plans, and by what is read from the file. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Storage } from "../../src/storage/port.ts";
import { SQL, type Statement } from "../../src/storage/sqlite/schema.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { makeDirectory, removeDirectory } from "./places.ts";

const ENTRY_COUNT = 200_000;
const READ_BYTES_MAX = 400_000;

let directory: string;
let file: string;

beforeAll(async () => {
  directory = makeDirectory();
  file = join(directory, "store.db");
  await openSqliteStorage({ file, create: true }).close();
  const database = new DatabaseSync(file);
  // Half of them are due and half of those are claimed, as after an outage; each lies in a folder of its own.
  database.exec(`
    PRAGMA synchronous = OFF;
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${ENTRY_COUNT})
      INSERT INTO entry (key, value, version, due_at, claim_owner, claim_until)
      SELECT printf('lease/%07d/%07d', n, n), randomblob(400), n, CASE WHEN n % 2 = 0 THEN n END,
        CASE WHEN n % 4 = 0 THEN 'w' END, CASE WHEN n % 4 = 0 THEN 1000000 + n END FROM number;
    UPDATE counter SET puts = ${ENTRY_COUNT};
  `);
  database.close();
}, 120_000);

afterAll(() => removeDirectory(directory));

function planOf(statement: Statement): string[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = database.prepare(`EXPLAIN QUERY PLAN ${SQL[statement]}`).all();
    return rows.map((row) => String(row.detail));
  } finally {
    database.close();
  }
}

describe("the plan", () => {
  test.each(Object.keys(SQL) as Statement[])(
    "of %s seeks, and neither walks a table nor sorts",
    (statement) => {
      const plan = planOf(statement);
      expect(plan.filter((step) => /SCAN (?!CONSTANT ROW|json_each)|TEMP B-TREE/u.test(step))).toEqual([]);
      if (statement !== "put") expect(plan.join("\n")).toContain("SEARCH");
    },
  );

  test("of a listing reads the keys' index only", () => {
    for (const statement of ["seekFrom", "seekBehind"] as const)
      expect(planOf(statement)).toEqual([
        "SEARCH entry USING COVERING INDEX sqlite_autoindex_entry_1 (key>? AND key<?)",
      ]);
  });

  test("of a claim goes through the due entries in their order", () => {
    expect(planOf("due")).toEqual(["SEARCH entry USING INDEX entry_due (due_at>? AND due_at<?)"]);
    expect(planOf("claim")).toEqual(["SEARCH entry USING INTEGER PRIMARY KEY (rowid=?)"]);
    expect(planOf("endLapsed").join()).toMatch(/SEARCH entry USING (?:COVERING )?INDEX entry_claim/u);
  });

  test("of nextDue reads two indexes only", () => {
    const steps = planOf("nextDue").filter((step) => step.startsWith("SEARCH"));
    expect(steps).toEqual([
      expect.stringMatching(/^SEARCH entry USING COVERING INDEX entry_due/u),
      expect.stringMatching(/^SEARCH entry USING COVERING INDEX entry_claim/u),
    ]);
  });
});

const canCount = process.platform === "linux";
const note = canCount ? "" : " (skipped: only Linux counts what a process reads)";

/** Bytes that this process has read so far, by its system calls. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)$/mu.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
}

const WORK: readonly [string, (storage: Storage) => Promise<unknown>, unknown][] = [
  ["opening alone", async () => undefined, undefined],
  ["nextDue", (storage) => storage.nextDue(), 2],
  ["writes", (storage) => storage.writes(), ENTRY_COUNT],
  ["a claim where nothing is due", (storage) => storage.claim(claimAt(1)), []],
  ["a claim of one", async (storage) => (await storage.claim(claimAt(900_000))).length, 1],
  ["a get", async (storage) => (await storage.get("lease/0100001/0100001"))?.version, 100_001],
  [
    "a listing over full folders",
    async (storage) => (await storage.list("lease/", { limit: 50 })).names.length,
    50,
  ],
  [
    "a listing over everything at once",
    (storage) => storage.list("", { limit: 50 }),
    { names: ["lease/"], next: null },
  ],
  ["a scan's page", async (storage) => (await storage.scan("lease/", { limit: 50 })).entries.length, 50],
];

function claimAt(now: number): Parameters<Storage["claim"]>[0] {
  return { now, limit: 1, owner: "one", until: now + 1 };
}

describe.skipIf(!canCount)(`what is read of a store with ${ENTRY_COUNT} entries${note}`, () => {
  test.each(WORK)("by opening it and %s is a few pages", async (_, work, expected) => {
    const before = bytesRead();
    const storage = openSqliteStorage({ file });
    const result = await work(storage);
    const amount = bytesRead() - before;
    expect(result).toEqual(expected);
    expect(amount).toBeGreaterThan(1000);
    expect(amount).toBeLessThan(READ_BYTES_MAX);
    await storage.close();
  });
});
