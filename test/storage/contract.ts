import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { ABSENT, type Storage, type Write } from "../../src/storage/port.ts";
import { claimEnds, claiming } from "./contract-claims.ts";
import { sweeping } from "./contract-sweeps.ts";
import { tagging } from "./contract-tags.ts";
import { bytes, type Current, keysOf, put, text } from "./entries.ts";

/** A fresh, empty store, and how to throw it away. */
export interface OpenedStorage {
  readonly storage: Storage;
  dispose(): Promise<void>;
}

/** What the port promises, for any adapter. */
export function storageContract(name: string, open: () => Promise<OpenedStorage>): void {
  describe(`the storage contract, ${name}`, () => {
    let opened: OpenedStorage;
    let storage: Storage;
    beforeEach(async () => {
      opened = await open();
      storage = opened.storage;
    });
    afterEach(() => opened.dispose());
    const current = (): Storage => storage;
    entries(current);
    preconditions(current);
    listing(current);
    scanning(current);
    claiming(current);
    describe("tags", () => tagging(current));
    describe("sweeps", () => sweeping(current));
    describe("the end of a claim", () => claimEnds(current));
    limits(current);
  });
}

function entries(storage: Current): void {
  test("what was put is read back, with its version and due time", async () => {
    const [version] = await storage().commit([put("a/b", "value", { dueAt: 1_800_000_000_000 })]);
    expect(await storage().get("a/b")).toEqual({
      key: "a/b",
      value: bytes("value"),
      version: version ?? -1,
      dueAt: 1_800_000_000_000,
    });
  });

  test("an entry that was never put, a folder and a deleted entry are absent", async () => {
    await storage().commit([put("a/b"), put("gone")]);
    await storage().commit([{ op: "delete", key: "gone" }]);
    expect([await storage().get("a"), await storage().get("gone"), await storage().get("never")]).toEqual([
      null,
      null,
      null,
    ]);
  });

  test("values of any bytes are kept, the empty one too", async () => {
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    const large = new Uint8Array(1_000_000).fill(7);
    await storage().commit([
      { op: "put", key: "all", value: all },
      { op: "put", key: "empty", value: new Uint8Array(0) },
      { op: "put", key: "large", value: large },
      { op: "put", key: "part", value: Buffer.from("-middle-").subarray(1, 7) },
    ]);
    expect(await storage().get("all")).toMatchObject({ value: all });
    expect(await storage().get("empty")).toMatchObject({ value: new Uint8Array(0) });
    expect(Buffer.compare((await storage().get("large"))?.value ?? all, large)).toBe(0);
    expect(text((await storage().get("part"))?.value ?? all)).toBe("middle");
  });

  test("changing a buffer after it was put or got does not change the store", async () => {
    const value = bytes("before");
    await storage().commit([{ op: "put", key: "a", value }]);
    value.fill(0);
    (await storage().get("a"))?.value.fill(0);
    expect(text((await storage().get("a"))?.value ?? value)).toBe("before");
  });

  test("every put gets a version of its own, in order, which no delete gives free", async () => {
    const first = await storage().commit([put("a"), put("b"), put("a/c")]);
    await storage().commit([{ op: "delete", key: "a/c" }]);
    const second = await storage().commit([put("a"), { op: "delete", key: "b" }, put("a/c")]);
    const versions = [...first, ...second];
    expect(versions).toHaveLength(5);
    expect(new Set(versions).size).toBe(5);
    expect(versions.toSorted((x, y) => x - y)).toEqual(versions);
    expect(versions[0]).toBeGreaterThan(ABSENT);
    expect((await storage().get("a"))?.version).toBe(versions[3] ?? -1);
  });

  test("a put replaces value and due time, and one without a due time ends it", async () => {
    await storage().commit([put("a", "1", { dueAt: 10 }), put("b", "1", { dueAt: 10 })]);
    await storage().commit([put("a", "2"), put("b", "2", { dueAt: null })]);
    expect(await storage().get("a")).toMatchObject({ value: bytes("2"), dueAt: null });
    expect(await storage().get("b")).toMatchObject({ value: bytes("2"), dueAt: null });
    expect(await storage().nextDue()).toBeNull();
  });

  test("writes() counts puts, not deletes, checks, claims or batches that failed", async () => {
    expect(await storage().writes()).toBe(0);
    const [version = -1] = await storage().commit([put("a", "1", { dueAt: 1 }), put("b")]);
    await storage().commit([
      { op: "delete", key: "b" },
      { op: "check", key: "a", expect: version },
    ]);
    await storage().claim({ now: 5, limit: 5, owner: "w", until: 9 });
    await storage().release(["a"], "w");
    await expect(storage().commit([put("c"), put("a", "2", { expect: 99 })])).rejects.toThrow();
    expect(await storage().writes()).toBe(2);
    await storage().commit([put("a")]);
    expect(await storage().writes()).toBe(3);
  });

  test("an empty batch writes nothing", async () => {
    expect(await storage().commit([])).toEqual([]);
    expect(await storage().writes()).toBe(0);
  });

  test("deleting what is absent is no failure", async () => {
    expect(await storage().commit([{ op: "delete", key: "never" }])).toEqual([]);
  });
}

function preconditions(storage: Current): void {
  const failing: readonly [string, (version: number) => Write][] = [
    ["a put at an old version", (version) => put("a", "new", { expect: version + 1 })],
    ["a put of what must be absent", () => put("a", "new", { expect: ABSENT })],
    ["a put at a version of what is absent", (version) => put("never", "new", { expect: version })],
    ["a delete at an old version", (version) => ({ op: "delete", key: "a", expect: version + 1 })],
    ["a delete of what must be absent", () => ({ op: "delete", key: "a", expect: ABSENT })],
    ["a check at an old version", (version) => ({ op: "check", key: "a", expect: version + 1 })],
    ["a check for absence", () => ({ op: "check", key: "a", expect: ABSENT })],
    ["a check of what is absent", (version) => ({ op: "check", key: "never", expect: version })],
  ];

  test.each(failing)("%s is a conflict, and the whole batch writes nothing", async (_, failingWrite) => {
    const [version = -1] = await storage().commit([put("a", "old", { dueAt: 7 }), put("b", "old")]);
    await storage().claim({ now: 7, limit: 1, owner: "w", until: 50 });
    const batch = [put("a", "x", { dueAt: 3 }), put("c"), { op: "delete", key: "b" } as const];
    for (const writes of [
      [...batch, failingWrite(version)],
      [failingWrite(version), ...batch],
    ]) {
      await expect(storage().commit(writes)).rejects.toMatchObject({ code: "STORE_CONFLICT" });
      expect(await storage().scan("", { limit: 10 })).toEqual({
        entries: [
          { key: "a", value: bytes("old"), version, dueAt: 7 },
          { key: "b", value: bytes("old"), version: version + 1, dueAt: null },
        ],
        next: null,
      });
      expect(await storage().writes()).toBe(2);
      expect(await storage().nextDue()).toBe(50);
    }
  });

  test("preconditions that hold let the batch through", async () => {
    const [a = -1, b = -1, c = -1] = await storage().commit([put("a"), put("b"), put("c")]);
    await storage().commit([
      put("a", "new", { expect: a }),
      { op: "delete", key: "b", expect: b },
      { op: "check", key: "c", expect: c },
      { op: "check", key: "d", expect: ABSENT },
      put("e", "new", { expect: ABSENT }),
      { op: "delete", key: "f", expect: ABSENT },
    ]);
    expect((await storage().list("", { limit: 9 })).names).toEqual(["a", "c", "e"]);
  });

  test("preconditions are about the entries before the batch, whatever the batch does to them", async () => {
    const [version = -1] = await storage().commit([put("a", "1")]);
    await storage().commit([
      put("a", "2", { expect: version }),
      { op: "check", key: "a", expect: version },
      put("b", "1"),
      put("b", "2", { expect: ABSENT }),
    ]);
    expect(text((await storage().get("a"))?.value ?? bytes(""))).toBe("2");
    expect(text((await storage().get("b"))?.value ?? bytes(""))).toBe("2");
  });

  test("writes of one key in a batch take effect in their order", async () => {
    await storage().commit([put("a"), { op: "delete", key: "a" }, put("b", "1"), put("b", "2")]);
    expect(await storage().get("a")).toBeNull();
    expect(await storage().get("b")).toMatchObject({ value: bytes("2"), version: 3 });
  });

  test("of two who read the same version, one wins", async () => {
    const [version = -1] = await storage().commit([put("a", "start")]);
    const results = await Promise.allSettled([
      storage().commit([put("a", "one", { expect: version })]),
      storage().commit([put("a", "two", { expect: version })]),
    ]);
    expect(results.map((result) => result.status).toSorted()).toEqual(["fulfilled", "rejected"]);
  });
}

function listing(storage: Current): void {
  const KEYS = ["a", "a-b", "a/x", "a/y/z", "a0", "b/c/d", "b/c/e", "c", "é/1", "\uffee"];
  const NAMES = ["a", "a-b", "a/", "a0", "b/", "c", "é/", "\uffee"];

  test("a listing has each direct child once, folders with a slash, in the order of the names", async () => {
    await storage().commit(KEYS.toReversed().map((key) => put(key)));
    expect(await storage().list("", { limit: 100 })).toEqual({ names: NAMES, next: null });
    expect(await storage().list("a/", { limit: 100 })).toEqual({ names: ["x", "y/"], next: null });
    expect(await storage().list("b/c/", { limit: 100 })).toEqual({ names: ["d", "e"], next: null });
  });

  test("a prefix with nothing below it lists as empty", async () => {
    await storage().commit([put("a"), put("ab/c")]);
    expect(await storage().list("a/", { limit: 10 })).toEqual({ names: [], next: null });
    expect(await storage().list("never/", { limit: 10 })).toEqual({ names: [], next: null });
  });

  test.each([1, 2, 3, 7, 8])("pages of %i give every name once, and the last page says so", async (limit) => {
    await storage().commit(KEYS.map((key) => put(key)));
    const names: string[] = [];
    const sizes: number[] = [];
    let after: string | undefined;
    do {
      const page = await storage().list("", after === undefined ? { limit } : { limit, after });
      names.push(...page.names);
      sizes.push(page.names.length);
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(names).toEqual(NAMES);
    expect(sizes.slice(0, -1).every((size) => size === limit)).toBe(true);
    expect(sizes).toHaveLength(Math.ceil(NAMES.length / limit));
  });

  test("a page goes on behind its cursor even when that name is gone or is new", async () => {
    await storage().commit(KEYS.map((key) => put(key)));
    const { next } = await storage().list("", { limit: 3 });
    await storage().commit([{ op: "delete", key: "a/x" }, { op: "delete", key: "a/y/z" }, put("a1")]);
    expect((await storage().list("", { limit: 3, after: next ?? "" })).names).toEqual(["a0", "a1", "b/"]);
  });
}

function scanning(storage: Current): void {
  test("a scan gives all entries below the prefix, at any depth, in key order, and none beside it", async () => {
    await storage().commit(["a", "a/b", "a/b/c", "a-x", "a/b-c", "a0", "b"].map((key) => put(key)));
    const page = await storage().scan("a/", { limit: 10 });
    expect(keysOf(page.entries)).toEqual(["a/b", "a/b-c", "a/b/c"]);
    expect(page.next).toBeNull();
    const all = await storage().scan("", { limit: 10 });
    expect(keysOf(all.entries)).toEqual(["a", "a-x", "a/b", "a/b-c", "a/b/c", "a0", "b"]);
  });

  test("a scan carries values, versions and due times", async () => {
    await storage().commit([put("a/1", "x", { dueAt: 5 }), put("a/2", "y")]);
    expect(await storage().scan("a/", { limit: 2 })).toEqual({
      entries: [
        { key: "a/1", value: bytes("x"), version: 1, dueAt: 5 },
        { key: "a/2", value: bytes("y"), version: 2, dueAt: null },
      ],
      next: null,
    });
  });

  test.each([1, 2, 3, 4])("pages of %i give every entry once, and the last page says so", async (limit) => {
    await storage().commit(["p/a", "p/a/b", "p/c", "p/d", "q"].map((key) => put(key)));
    const keys: string[] = [];
    let pages = 0;
    let after: string | undefined;
    do {
      const page = await storage().scan("p/", after === undefined ? { limit } : { limit, after });
      keys.push(...keysOf(page.entries));
      pages += 1;
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(keys).toEqual(["p/a", "p/a/b", "p/c", "p/d"]);
    expect(pages).toBe(Math.ceil(4 / limit));
  });

  test("a cursor from before the prefix starts at the prefix, and one behind it gives nothing", async () => {
    await storage().commit(["a", "p/a", "p/b", "q/c"].map((key) => put(key)));
    expect(keysOf((await storage().scan("p/", { limit: 9, after: "a" })).entries)).toEqual(["p/a", "p/b"]);
    expect(await storage().scan("p/", { limit: 9, after: "q/c" })).toEqual({ entries: [], next: null });
  });
}

function limits(storage: Current): void {
  const value = bytes("v");
  const refused: readonly [string, () => Promise<unknown>][] = [
    ["an empty key", () => storage().get("")],
    ["a key that starts with a slash", () => storage().get("/a")],
    ["a key that ends with a slash", () => storage().commit([{ op: "put", key: "a/", value }])],
    ["a key with an empty segment", () => storage().commit([{ op: "delete", key: "a//b" }])],
    ["a key with NUL", () => storage().get("a\0b")],
    ["a key with a surrogate, which sorts differently in UTF-8", () => storage().get("\u{1f511}")],
    ["a key above the limit", () => storage().get("a".repeat(5000))],
    ["a prefix without its slash", () => storage().list("a", { limit: 1 })],
    ["a page of nothing", () => storage().scan("", { limit: 0 })],
    ["a page above the limit", () => storage().list("", { limit: 1_000_001 })],
    ["an empty cursor", () => storage().list("", { limit: 1, after: "" })],
    ["a due time between two milliseconds", () => storage().commit([put("a", "", { dueAt: 1.5 })])],
    ["an endless due time", () => storage().commit([put("a", "", { dueAt: Number.POSITIVE_INFINITY })])],
    ["a claim without an owner", () => storage().claim({ now: 1, limit: 1, owner: "", until: 2 })],
    ["a claim that never lapses", () => storage().claim({ now: 1, limit: 1, owner: "w", until: Number.NaN })],
    ["a release of an impossible key", () => storage().release(["a/"], "w")],
  ];

  test.each(refused)("%s is refused as a mistake of the caller", async (_, attempt) => {
    await expect(attempt()).rejects.toBeInstanceOf(RangeError);
    expect(await storage().writes()).toBe(0);
  });

  test("closing twice is no failure", async () => {
    await storage().close();
    await storage().close();
    expect(await storage().close()).toBeUndefined();
  });
}
