import { afterEach, beforeEach, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { put } from "./entries.ts";
import { makeDirectory, removeDirectory } from "./places.ts";

const WORKER = join(import.meta.dirname, "store-worker.ts");

let directory: string;
let file: string;
let children: ChildProcess[];

beforeEach(() => {
  directory = makeDirectory();
  file = join(directory, "store.db");
  children = [];
});

afterEach(async () => {
  for (const child of children) await killed(child);
  removeDirectory(directory);
});

interface WorkerOptions {
  readonly argument?: string;
  /** The failpoint to die at; compiles failpoints in. */
  readonly failpoint?: string;
}

function startWorker(job: string, { argument = "0", failpoint }: WorkerOptions = {}): ChildProcess {
  const define = failpoint === undefined ? [] : ["--define", "VSEC_FAILPOINTS=true"];
  const child = spawn(process.execPath, [...define, WORKER, job, file, argument], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, VSEC_FAILPOINT: failpoint ?? "" },
  });
  children.push(child);
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** Waits for a line; undefined when the output ends before it. */
async function readUntil(
  child: ChildProcess,
  isWanted: (lines: readonly string[]) => boolean,
): Promise<string[]> {
  const lines: string[] = [];
  if (child.stdout === null) return lines;
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (isWanted(lines)) break;
  }
  return lines;
}

/** Runs to the end. */
async function finish(child: ChildProcess): Promise<{ lines: string[]; status: number | null }> {
  const exit = once(child, "exit");
  const lines = await readUntil(child, () => false);
  await exit;
  return { lines, status: child.exitCode };
}

async function readNumber(key: string): Promise<number> {
  const storage = openSqliteStorage({ file });
  try {
    return Number(new TextDecoder().decode((await storage.get(key))?.value) || "0");
  } finally {
    await storage.close();
  }
}

/** Creates the store, does something in it, and closes it. */
async function prepare(keys: readonly string[], dueAt: number | null = null): Promise<void> {
  const storage = openSqliteStorage({ file, create: true });
  await storage.commit(keys.map((key) => put(key, key, { dueAt })));
  await storage.close();
}

test("processes that count in one entry lose no update", async () => {
  await prepare([]);
  const workers = [1, 2, 3].map(() => startWorker("increment", { argument: "150" }));
  const results = await Promise.all(workers.map(finish));
  expect(results.map((result) => result.status)).toEqual([0, 0, 0]);
  expect(await readNumber("counter")).toBe(450);
  const storage = openSqliteStorage({ file });
  expect([await storage.writes(), (await storage.get("counter"))?.version]).toEqual([450, 450]);
  await storage.close();
}, 60_000);

test("processes that claim from one store never get the same entry", async () => {
  const keys = Array.from({ length: 200 }, (_, index) => `due/${String(index).padStart(3, "0")}`);
  await prepare(keys, 10);
  const results = await Promise.all([startWorker("drain"), startWorker("drain")].map(finish));
  expect(results.map((result) => result.status)).toEqual([0, 0]);
  expect(results.flatMap((result) => result.lines).toSorted()).toEqual(keys);
}, 60_000);

test("processes that create the same store at once all find it, and make it once", async () => {
  const workers = ["1", "2", "3", "4"].map((argument) => startWorker("create", { argument }));
  const results = await Promise.all(workers.map(finish));
  expect(results.map((result) => result.status)).toEqual([0, 0, 0, 0]);
  const storage = openSqliteStorage({ file });
  expect(await storage.list("by/", { limit: 9 })).toEqual({ names: ["1", "2", "3", "4"], next: null });
  expect(await storage.writes()).toBe(4);
  await storage.close();
}, 60_000);

test("a new store that another process is writing to is waited for before its log is set up", async () => {
  await openSqliteStorage({ file, create: true }).close();
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = DELETE");
  database.close();
  const writer = startWorker("lock", { argument: "300" });
  await readUntil(writer, (lines) => lines.length > 0);
  const storage = openSqliteStorage({ file });
  await storage.commit([put("a")]);
  expect(existsSync(`${file}-wal`)).toBe(true);
  await storage.close();
}, 60_000);

test("a writer killed at any time leaves whole batches, all that it confirmed, and a usable store", async () => {
  await prepare([]);
  let confirmed = 0;
  for (const lineCount of [1, 2, 3, 5, 8, 13, 40, 90]) {
    const child = startWorker("pairs");
    const lines = await readUntil(child, (seen) => seen.length >= lineCount);
    await killed(child);
    const [left, right] = [await readNumber("left"), await readNumber("right")];
    expect(lines).toHaveLength(lineCount);
    expect(Number(lines[0])).toBe(confirmed + 1);
    expect(left).toBe(right);
    expect(left).toBeGreaterThanOrEqual(Number(lines.at(-1)));
    confirmed = left;
  }
}, 60_000);

test.each([
  ["store:commit", 2],
  ["store:written", 2],
  ["store:committed", 3],
])("a writer that dies at %s in its third batch leaves %i batches", async (failpoint, batches) => {
  await prepare([]);
  const child = startWorker("pairs", { failpoint: `${failpoint}:3` });
  const { lines } = await finish(child);
  expect(child.signalCode).toBe("SIGKILL");
  expect(lines).toEqual(["1", "2"]);
  expect([await readNumber("left"), await readNumber("right")]).toEqual([batches, batches]);
});

test("a store that another process keeps locked can be read, and is reported as locked to a writer", async () => {
  await prepare(["a"], 10);
  await readUntil(startWorker("lock"), () => true);
  const storage = openSqliteStorage({ file, busyTimeoutMs: 20 });
  expect(await storage.get("a")).toMatchObject({ key: "a" });
  expect(await storage.nextDue()).toBe(10);
  const locked = {
    code: "STORE_LOCKED",
    message: expect.stringContaining("another process keeps it locked"),
  };
  await expect(storage.commit([put("b")])).rejects.toMatchObject(locked);
  await expect(storage.claim({ now: 10, limit: 1, owner: "w", until: 20 })).rejects.toMatchObject(locked);
  await expect(storage.release(["a"], "w")).rejects.toMatchObject(locked);
  for (const child of children) await killed(child);
  expect(await storage.commit([put("b")])).toEqual([2]);
  await storage.close();
});
