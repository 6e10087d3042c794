import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { KEYRING_KEY } from "../../src/barrier/keyring.ts";
import { type InitOptions, initBarrier, openBarrier } from "../../src/barrier/open.ts";
import { readSealConfig, SEAL_KEY } from "../../src/barrier/seal-config.ts";
import { termOf } from "../../src/barrier/value-cipher.ts";
import { VsecError } from "../../src/base/errors.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { openMemoryStorage } from "../../src/storage/memory/memory-storage.ts";
import type { Storage, StoredEntry } from "../../src/storage/port.ts";
import { codeOf, newWorld, SEAL, StoppedClock, text, untext, type World } from "./world.ts";

async function rawEntries(storage: Storage): Promise<readonly StoredEntry[]> {
  const { entries } = await storage.scan("", { limit: 10_000 });
  return entries.filter(({ key }) => !key.startsWith("_/"));
}

async function put(world: World, key: string, value: string, dueAt: number | null = null): Promise<void> {
  await world.barrier.commit([{ op: "put", key, value: text(value), dueAt }]);
}

/** Writes past the barrier. */
async function overwrite(storage: Storage, key: string, value: Uint8Array): Promise<void> {
  await storage.commit([{ op: "put", key, value }]);
}

const claimOf = (now: number, limit = 100) => ({ now, limit, owner: "worker", until: now + 1000 });

describe("an initialised store", () => {
  test("holds its seal, its keyring and the first entries after one commit", async () => {
    const storage = openMemoryStorage();
    const batches: number[] = [];
    const spied: Storage = {
      ...bound(storage),
      commit: (writes) => {
        batches.push(writes.length);
        return storage.commit(writes);
      },
    };
    const rootKey = systemRandom.bytes(32);
    let tokenKey = "";
    const writes: InitOptions["writes"] = (fresh) => {
      tokenKey = `token/${fresh.hash("token", "root")}`;
      return [
        { op: "put", key: "core/mounts", value: text("[]") },
        { op: "put", key: tokenKey, value: text("{}") },
      ];
    };
    const options = { storage: spied, rootKey, clock: new StoppedClock(), random: systemRandom };
    await initBarrier({ ...options, seal: SEAL, writes });
    expect(batches).toEqual([4]);
    expect(await readSealConfig(storage)).toEqual(SEAL);
    const opened = await openBarrier(options);
    expect(untext((await opened.get("core/mounts"))?.value)).toBe("[]");
    expect(tokenKey).toBe(`token/${opened.hash("token", "root")}`);
    expect(untext((await opened.get(tokenKey))?.value)).toBe("{}");
  });

  test("is not initialised again", async () => {
    const world = await newWorld();
    await put(world, "a", "kept");
    const again = { storage: world.storage, rootKey: systemRandom.bytes(32), clock: world.clock };
    const init = () => initBarrier({ ...again, random: systemRandom, seal: SEAL });
    expect(await codeOf(init)).toBe("STORE_CONFLICT");
    expect(untext((await (await world.open()).get("a"))?.value)).toBe("kept");
  });

  test("with a failed precondition among the first entries is not initialised at all", async () => {
    const storage = openMemoryStorage();
    const writes = () => [{ op: "check", key: "a", expect: 5 }] as const;
    const options = { storage, rootKey: systemRandom.bytes(32), clock: new StoppedClock() };
    const init = () => initBarrier({ ...options, random: systemRandom, seal: SEAL, writes });
    expect(await codeOf(init)).toBe("STORE_CONFLICT");
    expect(await readSealConfig(storage)).toBeNull();
  });

  test("is not opened by another root key, nor by one of another length", async () => {
    const { storage, clock } = await newWorld();
    for (const length of [0, 16, 31, 32, 33]) {
      const options = { storage, rootKey: systemRandom.bytes(length), clock, random: systemRandom };
      expect(await codeOf(() => openBarrier(options))).toBe("SEAL_WRONG_KEY");
    }
  });

  test("whose keyring is missing or damaged is refused", async () => {
    const { storage, open } = await newWorld();
    const keyring = await storage.get(KEYRING_KEY);
    const bad = Uint8Array.from(keyring?.value ?? []);
    bad[40] = (bad[40] ?? 0) ^ 1;
    await overwrite(storage, KEYRING_KEY, bad);
    expect(await codeOf(open)).toBe("BARRIER_DAMAGED");
    await storage.commit([{ op: "delete", key: KEYRING_KEY }]);
    expect(await codeOf(open)).toBe("BARRIER_DAMAGED");
  });

  test("does not need its root key any more once it is open", async () => {
    const world = await newWorld();
    world.rootKey.fill(0);
    await world.barrier.rotate();
    await put(world, "a", "1");
    expect(untext((await world.barrier.get("a"))?.value)).toBe("1");
  });
});

describe("an entry", () => {
  test("comes back whole, and the store sees neither its name nor its value", async () => {
    const name = fc.string({ unit: "grapheme-ascii", minLength: 4, maxLength: 30 });
    const key = fc
      .array(name, { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join(":").replaceAll("/", ":"));
    const world = await newWorld();
    await fc.assert(
      fc.asyncProperty(key, fc.uint8Array({ maxLength: 300 }), fc.nat(), async (plain, value, dueAt) => {
        const [version] = await world.barrier.commit([{ op: "put", key: plain, value, dueAt }]);
        const entry = await world.barrier.get(plain);
        expect({ ...entry, value: [...(entry?.value ?? [])] }).toEqual({
          key: plain,
          value: [...value],
          dueAt,
          version: version ?? 0,
        });
        for (const raw of await rawEntries(world.storage)) {
          expect(raw.key).not.toContain(plain);
          if (value.length >= 8) expect(Buffer.from(raw.value).includes(value)).toBe(false);
        }
        await world.barrier.commit([{ op: "delete", key: plain }]);
        expect(await world.barrier.get(plain)).toBeNull();
      }),
    );
  });

  test("written twice with the same value is stored differently", async () => {
    const world = await newWorld();
    await put(world, "a", "same");
    const [first] = await rawEntries(world.storage);
    await put(world, "a", "same");
    const [second] = await rawEntries(world.storage);
    expect(second?.key).toBe(first?.key ?? "");
    expect(second?.value).not.toEqual(first?.value);
  });

  test("keeps the store's preconditions", async () => {
    const { barrier } = await newWorld();
    const [version = 0] = await barrier.commit([{ op: "put", key: "a", value: text("1"), expect: 0 }]);
    const stale = () => barrier.commit([{ op: "put", key: "a", value: text("2"), expect: 0 }]);
    expect(await codeOf(stale)).toBe("STORE_CONFLICT");
    expect(await codeOf(() => barrier.commit([{ op: "check", key: "b", expect: 1 }]))).toBe("STORE_CONFLICT");
    await barrier.commit([
      { op: "check", key: "a", expect: version },
      { op: "delete", key: "a", expect: version },
    ]);
    expect(await barrier.get("a")).toBeNull();
  });

  test("that was put in another's place is refused", async () => {
    const world = await newWorld();
    await put(world, "policy/admin", "everything");
    await put(world, "policy/guest", "nothing");
    const [one, two] = await rawEntries(world.storage);
    if (one === undefined || two === undefined) throw new RangeError("two entries were written");
    await overwrite(world.storage, one.key, two.value);
    await overwrite(world.storage, two.key, one.value);
    for (const key of ["policy/admin", "policy/guest"]) {
      expect(await codeOf(() => world.barrier.get(key))).toBe("BARRIER_DAMAGED");
    }
    expect(await codeOf(() => world.barrier.scan("policy/", { limit: 10 }))).toBe("BARRIER_DAMAGED");
  });

  test("that is damaged is named as the store names it, and nothing of it is told", async () => {
    const world = await newWorld();
    await put(world, "database/config/payroll", "hunter2");
    const [raw] = await rawEntries(world.storage);
    await overwrite(world.storage, raw?.key ?? "", (raw?.value ?? new Uint8Array()).slice(0, -1));
    const error = await world.barrier.get("database/config/payroll").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(VsecError);
    expect(String(error)).toContain((raw?.key ?? "").slice(0, 40));
    expect(Bun.inspect(error)).not.toMatch(/payroll|hunter2/);
  });

  test("larger than a store takes is refused", async () => {
    const { barrier } = await newWorld();
    const value = new Uint8Array(32 * 1024 * 1024);
    expect(await codeOf(() => barrier.commit([{ op: "put", key: "a", value }]))).toBe("USAGE");
  });
});

describe("a listing", () => {
  test("shows children, folders with a slash, and never what is reserved", async () => {
    const world = await newWorld();
    for (const key of ["a", "a/b", "a/c/d", "b", "_/keyring", "_"]) await put(world, key, key);
    const top = await world.barrier.list("", { limit: 100 });
    expect([...top.names].sort()).toEqual(["_", "_/", "a", "a/", "b"]);
    const below = await world.barrier.list("a/", { limit: 100 });
    expect([...below.names].sort()).toEqual(["b", "c/"]);
    expect(await world.barrier.list("nothing/", { limit: 100 })).toEqual({ names: [], next: null });
  });

  test("in pages of any size shows every name once", async () => {
    const world = await newWorld();
    const keys = Array.from({ length: 23 }, (_, index) => `name-${index}`);
    for (const key of keys) await put(world, key, "");
    for (const limit of [1, 2, 7, 23, 100]) {
      const listed: string[] = [];
      const scanned: string[] = [];
      for (let after: string | null | undefined; after !== null; ) {
        const page = await world.barrier.list("", { limit, ...(after === undefined ? {} : { after }) });
        listed.push(...page.names);
        after = page.next;
      }
      for (let after: string | null | undefined; after !== null; ) {
        const page = await world.barrier.scan("", { limit, ...(after === undefined ? {} : { after }) });
        expect(page.entries.length > 0 || page.next === null).toBe(true);
        scanned.push(...page.entries.map((entry) => entry.key));
        after = page.next;
      }
      expect(listed.sort()).toEqual([...keys].sort());
      expect(scanned.sort()).toEqual([...keys].sort());
    }
  });

  test("that meets a name which is not ours fails, and does not leave it out", async () => {
    const world = await newWorld();
    await put(world, "a/b", "1");
    const folder = (await rawEntries(world.storage))[0]?.key.split("/")[0] ?? "";
    await overwrite(world.storage, `${folder}/foreign`, text("x"));
    expect(await codeOf(() => world.barrier.list("a/", { limit: 10 }))).toBe("BARRIER_DAMAGED");
    expect(await codeOf(() => world.barrier.scan("", { limit: 10 }))).toBe("BARRIER_DAMAGED");
    expect(untext((await world.barrier.get("a/b"))?.value)).toBe("1");
  });

  test("that meets a folder moved elsewhere fails", async () => {
    const world = await newWorld();
    await put(world, "a/x/y", "1");
    const [raw] = await rawEntries(world.storage);
    if (raw === undefined) throw new RangeError("an entry was written");
    await overwrite(world.storage, raw.key.split("/").slice(1).join("/"), raw.value);
    expect(await codeOf(() => world.barrier.list("", { limit: 10 }))).toBe("BARRIER_DAMAGED");
  });
});

describe("a walk", () => {
  test("gives what is below its prefix in plain, and a sweep takes that away", async () => {
    const world = await newWorld();
    for (const key of ["lease/a/1", "lease/a/2", "lease/ab", "other/a"]) await put(world, key, `of ${key}`);
    const version = await world.barrier.writes();
    await put(world, "lease/a/3", "later");
    const pages = await Array.fromAsync(world.barrier.walk("lease/a/", { limit: 2 }));
    const entries = pages.flatMap((page) => page.entries.map(({ key, value }) => [key, untext(value)]));
    expect(entries.sort()).toEqual([
      ["lease/a/1", "of lease/a/1"],
      ["lease/a/2", "of lease/a/2"],
      ["lease/a/3", "later"],
    ]);
    const swaths = pages.map(({ swath }) => swath);
    expect(await world.barrier.sweep(swaths, version)).toBe(2);
    const left = (await world.barrier.scan("", { limit: 9 })).entries.map(({ key }) => key);
    expect(left.sort()).toEqual(["lease/a/3", "lease/ab", "other/a"]);
  });

  test("of the whole store is refused, since a sweep would take the keyring as well", async () => {
    const { barrier } = await newWorld();
    await expect(barrier.walk("", { limit: 1 }).next()).rejects.toThrow(RangeError);
  });

  test("that meets an entry which was not written at its place fails, and does not leave it out", async () => {
    const world = await newWorld();
    await put(world, "lease/a", "1");
    await put(world, "lease/b", "2");
    const [one, two] = await rawEntries(world.storage);
    await overwrite(world.storage, one?.key ?? "", two?.value ?? new Uint8Array());
    const walked = (): Promise<unknown> => Array.fromAsync(world.barrier.walk("lease/", { limit: 9 }));
    expect(await codeOf(walked)).toBe("BARRIER_DAMAGED");
  });
});

describe("due entries", () => {
  test("are claimed in plain, released by name, and then due again", async () => {
    const world = await newWorld();
    await put(world, "lease/late", "2", 20);
    await put(world, "lease/early", "1", 10);
    expect(await world.barrier.nextDue()).toBe(10);
    const claimed = await world.barrier.claim(claimOf(100));
    expect(claimed.map(({ key, value, dueAt }) => [key, untext(value), dueAt])).toEqual([
      ["lease/early", "1", 10],
      ["lease/late", "2", 20],
    ]);
    expect(await world.barrier.claim(claimOf(100))).toEqual([]);
    await world.barrier.release(["lease/early"], "worker");
    expect((await world.barrier.claim(claimOf(100))).map(({ key }) => key)).toEqual(["lease/early"]);
  });

  test("of which one is damaged are handed out without it, and it is reported when nothing else is due", async () => {
    const world = await newWorld();
    for (const name of ["a", "b", "c"]) await put(world, `lease/${name}`, name, 1);
    const [raw] = await rawEntries(world.storage);
    const bad = {
      op: "put",
      key: raw?.key ?? "",
      value: text("not ours at all, and long enough to try"),
      dueAt: 1,
    };
    await world.storage.commit([bad as Parameters<Storage["commit"]>[0][number]]);
    expect(await world.barrier.claim(claimOf(100))).toHaveLength(2);
    const keys = ["lease/a", "lease/b", "lease/c"];
    for (const key of keys) {
      if ((await codeOf(() => world.barrier.get(key))) === "none")
        await world.barrier.commit([{ op: "delete", key }]);
    }
    expect(await codeOf(() => world.barrier.claim(claimOf(5000)))).toBe("BARRIER_DAMAGED");
  });
});

describe("rotation", () => {
  test("adds a term for what is written from then on, and old entries stay readable until they are written again", async () => {
    const world = await newWorld();
    await put(world, "a", "old");
    world.clock.advance(5000);
    await world.barrier.rotate();
    expect(untext((await world.barrier.get("a"))?.value)).toBe("old");
    expect((await rawEntries(world.storage)).map(({ value }) => termOf(value))).toEqual([1]);
    await put(world, "a", "new");
    expect((await rawEntries(world.storage)).map(({ value }) => termOf(value))).toEqual([2]);
    expect(untext((await (await world.open()).get("a"))?.value)).toBe("new");
  });

  test("counts the encryptions of the term", async () => {
    const world = await newWorld();
    expect(await world.barrier.keyStatus()).toEqual({
      term: 1,
      installedAt: 1_700_000_000_000,
      encryptions: 0,
    });
    for (const key of ["a", "b", "a"]) await put(world, key, "");
    await world.barrier.commit([{ op: "delete", key: "a" }]);
    expect((await world.barrier.keyStatus()).encryptions).toBe(3);
    world.clock.advance(5000);
    await world.barrier.rotate();
    expect(await world.barrier.keyStatus()).toEqual({
      term: 2,
      installedAt: 1_700_000_005_000,
      encryptions: 0,
    });
    await put(world, "c", "");
    expect((await world.barrier.keyStatus()).encryptions).toBe(1);
  });

  test("in one process is learned by another from what it reads, lists and claims", async () => {
    const readers: ReadonlyArray<(world: World, other: World["barrier"]) => Promise<unknown>> = [
      (_, other) => other.get("a"),
      async (_, other) => (await other.scan("", { limit: 10 })).entries[0],
      async (_, other) => (await other.claim(claimOf(100)))[0],
    ];
    for (const read of readers) {
      const world = await newWorld();
      const other = await world.open();
      await world.barrier.rotate();
      await world.barrier.rotate();
      await put(world, "a", "new", 1);
      expect(await read(world, other)).toMatchObject({ key: "a", value: Buffer.from("new") });
      await other.commit([{ op: "put", key: "a", value: text("mine") }]);
      expect((await rawEntries(world.storage)).map(({ value }) => termOf(value))).toEqual([3]);
    }
  });

  test("in one process is taken up by another that only writes, after ten seconds at the latest", async () => {
    const world = await newWorld();
    const other = await world.open();
    await world.barrier.rotate();
    const write = async (): Promise<number | null | undefined> => {
      await other.commit([{ op: "put", key: "a", value: text("x") }]);
      return (await rawEntries(world.storage)).map(({ value }) => termOf(value))[0];
    };
    expect(await write()).toBe(1);
    world.clock.advance(10_001);
    expect(await write()).toBe(2);
    expect((await other.keyStatus()).term).toBe(2);
  });

  test("by several processes at once adds a term for each", async () => {
    const world = await newWorld();
    const barriers = await Promise.all(Array.from({ length: 5 }, () => world.open()));
    await Promise.all(barriers.map((barrier) => barrier.rotate()));
    expect((await world.barrier.keyStatus()).term).toBe(6);
    for (const [index, barrier] of barriers.entries()) {
      await barrier.commit([{ op: "put", key: `k${index}`, value: text("x") }]);
    }
    expect((await world.barrier.scan("", { limit: 10 })).entries).toHaveLength(5);
  });

  test("that always loses gives up with the conflict", async () => {
    const world = await newWorld();
    const lost = () => Promise.reject(new VsecError("STORE_CONFLICT", "lost"));
    const options = { rootKey: world.rootKey, clock: world.clock, random: systemRandom };
    const barrier = await openBarrier({ ...options, storage: { ...bound(world.storage), commit: lost } });
    expect(await codeOf(() => barrier.rotate())).toBe("STORE_CONFLICT");
  });

  test("does not make entries readable that carry a term nobody made", async () => {
    const world = await newWorld();
    await put(world, "a", "x");
    const [raw] = await rawEntries(world.storage);
    const value = Uint8Array.from(raw?.value ?? []);
    value[4] = 9;
    await overwrite(world.storage, raw?.key ?? "", value);
    expect(await codeOf(() => world.barrier.get("a"))).toBe("BARRIER_DAMAGED");
  });
});

describe("the keyed hash", () => {
  test("is the same in every process and after a rotation, and tells purposes and values apart", async () => {
    const world = await newWorld();
    const hash = world.barrier.hash("token", "hvs.abc");
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    await world.barrier.rotate();
    expect((await world.open()).hash("token", "hvs.abc")).toBe(hash);
    const others = [
      world.barrier.hash("accessor", "hvs.abc"),
      world.barrier.hash("token", "hvs.abd"),
      world.barrier.hash("tokenh", "vs.abc"),
      world.barrier.hash("", "tokenhvs.abc"),
      (await newWorld()).barrier.hash("token", "hvs.abc"),
    ];
    expect(new Set([hash, ...others]).size).toBe(6);
  });
});

describe("the seal's configuration", () => {
  test.each([
    ["no JSON", "{", "BARRIER_DAMAGED"],
    ["a list", "[]", "BARRIER_DAMAGED"],
    ["no format", `{"type":"env","storeId":"a","params":{}}`, "BARRIER_DAMAGED"],
    ["format 0", `{"format":0,"type":"env","storeId":"a","params":{}}`, "BARRIER_DAMAGED"],
    ["a later format", `{"format":2}`, "STORE_TOO_NEW"],
    ["an unknown type", `{"format":1,"type":"hsm","storeId":"a","params":{}}`, "STORE_FOREIGN"],
    ["no parameters", `{"format":1,"type":"env","storeId":"a"}`, "BARRIER_DAMAGED"],
    ["no store id", `{"format":1,"type":"env","params":{}}`, "BARRIER_DAMAGED"],
    [
      "a store id that is a path",
      `{"format":1,"type":"env","storeId":"../a","params":{}}`,
      "BARRIER_DAMAGED",
    ],
    ["far too much", `{"format":1,"x":"${"x".repeat(70_000)}"}`, "BARRIER_DAMAGED"],
  ])("with %s is refused", async (_, json, code) => {
    const { storage } = await newWorld();
    await overwrite(storage, SEAL_KEY, text(json));
    expect(await codeOf(() => readSealConfig(storage))).toBe(code);
  });

  test("is absent from a store that was never initialised", async () => {
    expect(await readSealConfig(openMemoryStorage())).toBeNull();
  });
});

/** A store whose methods can be taken out of it. */
function bound(storage: Storage): Storage {
  return {
    get: (key) => storage.get(key),
    list: (prefix, page) => storage.list(prefix, page),
    scan: (prefix, page) => storage.scan(prefix, page),
    walk: (prefix, page) => storage.walk(prefix, page),
    find: (tag, page) => storage.find(tag, page),
    commit: (writes) => storage.commit(writes),
    sweep: (swaths, version) => storage.sweep(swaths, version),
    claim: (request) => storage.claim(request),
    release: (keys, owner) => storage.release(keys, owner),
    nextDue: () => storage.nextDue(),
    writes: () => storage.writes(),
    close: () => storage.close(),
  };
}
