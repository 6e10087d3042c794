/** A process of its own that works on a store: `store-worker.ts <job> <file> [<argument>]`. Answers are lines on stdout. */
import { writeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { hasCode } from "../../src/base/errors.ts";
import { ABSENT, type Storage } from "../../src/storage/port.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";

const [job, file = "", argument = "0"] = process.argv.slice(2);

function say(text: string): void {
  writeSync(1, `${text}\n`);
}

const numberOf = (value: Uint8Array | undefined): number => Number(new TextDecoder().decode(value) || "0");
const bytesOf = (value: number): Uint8Array => new TextEncoder().encode(String(value));

/** Adds 1 to a shared counter so many times, reading again after each lost race. */
async function increment(storage: Storage, times: number): Promise<void> {
  for (let done = 0; done < times; ) {
    const entry = await storage.get("counter");
    const value = bytesOf(numberOf(entry?.value) + 1);
    try {
      await storage.commit([{ op: "put", key: "counter", value, expect: entry?.version ?? ABSENT }]);
      done += 1;
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT")) throw error;
    }
  }
}

/** Claims entries until none are left, says the key of each, and deletes it. */
async function drain(storage: Storage): Promise<void> {
  for (;;) {
    const entries = await storage.claim({
      now: 1000,
      limit: 3,
      owner: String(process.pid),
      until: 1_000_000,
    });
    if (entries.length === 0) return;
    for (const { key, version } of entries) {
      say(key);
      await storage.commit([{ op: "delete", key, expect: version }]);
    }
  }
}

/** Writes the same number to two entries in one batch, and says it when it is committed; then the next; for ever. */
async function writePairs(storage: Storage): Promise<never> {
  for (let number = numberOf((await storage.get("left"))?.value) + 1; ; number += 1) {
    const value = bytesOf(number);
    await storage.commit([
      { op: "put", key: "left", value },
      { op: "put", key: `filler/${number % 50}`, value: new Uint8Array(3000) },
      { op: "put", key: "right", value },
    ]);
    say(String(number));
  }
}

/** Keeps the store locked, for so many milliseconds; 0: until it is killed. */
function lock(ms: number): void {
  const database = new DatabaseSync(file);
  database.exec("BEGIN IMMEDIATE");
  say("locked");
  // The timer's hold on the connection keeps it from being collected, which would close it.
  setInterval(() => database.location(), 60_000);
  if (ms > 0) setTimeout(() => process.exit(), ms);
}

async function main(): Promise<void> {
  if (job === "lock") return lock(Number(argument));
  const storage = openSqliteStorage({ file, create: job === "create" });
  if (job === "increment") await increment(storage, Number(argument));
  if (job === "drain") await drain(storage);
  if (job === "pairs") await writePairs(storage);
  if (job === "create") await storage.commit([{ op: "put", key: `by/${argument}`, value: bytesOf(1) }]);
  await storage.close();
}

await main();
