import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Storage, Write } from "../../src/storage/port.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { storageContract } from "./contract.ts";
import { canMount, makeDirectory, mustMount, openFresh, removeDirectory } from "./places.ts";

storageContract("sqlite, grouping commits", () => openFresh({ groupsCommits: true }));

const bytes = (text: string): Uint8Array => Buffer.from(text);
const put = (key: string, expect?: number): Write => ({
  op: "put",
  key,
  value: bytes(key),
  ...(expect === undefined ? {} : { expect }),
});

describe("commits that come at the same time", () => {
  let directory = "";
  let file = "";
  let storage: Storage;
  beforeEach(() => {
    directory = makeDirectory();
    file = join(directory, "store.db");
    storage = openSqliteStorage({ file, create: true, groupsCommits: true });
  });
  afterEach(async () => {
    await storage.close();
    removeDirectory(directory);
  });

  /** How much the log has grown, in frames of a page: what is flushed together writes each page once. */
  const logFrames = (): number => Math.floor(statSync(`${file}-wal`).size / 4120);

  test("are written with fewer pages than the same ones one after the other", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `k${index}`);
    await storage.commit([put("first")]);
    const before = logFrames();
    for (const name of names) await storage.commit([put(`one/${name}`)]);
    const between = logFrames();
    await Promise.all(names.map((name) => storage.commit([put(`two/${name}`)])));
    expect(logFrames() - between).toBeLessThan((between - before) / 4);
  });

  test("get versions of their own, in the order in which they came", async () => {
    const versions = await Promise.all(
      ["a", "b", "c"].map((key) => storage.commit([put(key), put(`${key}2`)])),
    );
    expect(versions).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
  });

  test("are refused each by itself, and one that is refused has changed nothing", async () => {
    const outcomes = await Promise.allSettled([
      storage.commit([put("a", 0)]),
      storage.commit([put("b"), put("a", 0)]),
      storage.commit([put("c")]),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((outcomes[1] as PromiseRejectedResult).reason).toMatchObject({ code: "STORE_CONFLICT" });
    expect(await storage.get("b")).toBeNull();
    expect(await storage.get("c")).not.toBeNull();
  });

  test("of which two are for one version: the first one wins", async () => {
    const [version = 0] = await storage.commit([put("a")]);
    const [first, second] = await Promise.allSettled([
      storage.commit([put("a", version)]),
      storage.commit([put("a", version)]),
    ]);
    expect([first?.status, second?.status]).toEqual(["fulfilled", "rejected"]);
  });

  test("and that wait when the store is closed are written before it closes", async () => {
    const waiting = storage.commit([put("a")]);
    await storage.close();
    await waiting;
    storage = openSqliteStorage({ file });
    expect(await storage.get("a")).not.toBeNull();
  });

  test("to a store that was closed are refused", async () => {
    await storage.close();
    await expect(storage.commit([put("a")])).rejects.toMatchObject({ code: "STORE_IO" });
  });
});

describe.skipIf(!canMount)("commits that come at the same time to a full disk", () => {
  test("are all refused, and none of them is written", async () => {
    const mount = mustMount(400_000);
    const file = join(mount.directory, "store.db");
    try {
      const storage = openSqliteStorage({ file, create: true, groupsCommits: true });
      const large: Write = { op: "put", key: "large", value: new Uint8Array(500_000) };
      const outcomes = await Promise.allSettled([storage.commit([put("small")]), storage.commit([large])]);
      expect(outcomes.map((it) => (it as PromiseRejectedResult).reason?.code)).toEqual([
        "STORE_FULL",
        "STORE_FULL",
      ]);
      expect(await storage.get("small")).toBeNull();
      await storage.close();
    } finally {
      rmSync(file, { force: true });
      mount.dispose();
    }
  });
});
