/** The part of the storage contract that is about walks, and sweeping what they gave. */
import { expect, test } from "bun:test";
import type { StoredEntry, WalkPage } from "../../src/storage/port.ts";
import { bytes, type Current, keysOf, put } from "./entries.ts";

const KEYS = Array.from({ length: 23 }, (_, index) => `f/${(index * 7) % 23}/x`);

export function sweeping(storage: Current): void {
  const pagesOf = async (prefix: string, limit = 5): Promise<WalkPage[]> =>
    Array.fromAsync(storage().walk(prefix, { limit }));
  const left = async (): Promise<string[]> => keysOf((await storage().scan("", { limit: 100 })).entries);

  test.each([1, 5, 22, 23, 24])(
    "a walk by %d gives each entry below its prefix once, as it is",
    async (limit) => {
      await storage().commit([put("f"), put("e/x"), put("f-/x"), put("f0/x"), put("g/x")]);
      await storage().commit(KEYS.map((key) => put(key, key, { dueAt: 7 })));
      const pages = await pagesOf("f/", limit);
      expect(pages.every(({ entries }) => entries.length <= limit)).toBe(true);
      expect(pages.map(({ next }) => next === null)).toEqual(
        pages.map((_, index) => index === pages.length - 1),
      );
      const entries = pages
        .flatMap((page) => page.entries)
        .toSorted((one, other) => one.version - other.version);
      expect(entries).toEqual(
        KEYS.map((key, index): StoredEntry => ({ key, value: bytes(key), version: 6 + index, dueAt: 7 })),
      );
    },
  );

  test("a walk of nothing gives no entry", async () => {
    await storage().commit([put("f"), put("g/x")]);
    expect((await pagesOf("f/")).flatMap(({ entries }) => entries)).toEqual([]);
  });

  test("a walk goes on behind a cursor, though what came before it was swept, and ends", async () => {
    await storage().commit(KEYS.map((key) => put(key)));
    const seen: string[] = [];
    for (let after: string | undefined; ; ) {
      const request = after === undefined ? { limit: 4 } : { limit: 4, after };
      const { value: page } = await storage().walk("f/", request).next();
      seen.push(...keysOf(page?.entries ?? []));
      expect(await storage().sweep([page?.swath ?? ""], KEYS.length)).toBe(page?.entries.length ?? -1);
      if (page?.next === null) break;
      after = page?.next ?? "";
    }
    expect(seen.toSorted()).toEqual(KEYS.toSorted());
    expect(await left()).toEqual([]);
  });

  test("a sweep deletes what its pages gave, with its due times and tags, and nothing else", async () => {
    await storage().commit(KEYS.map((key) => put(key, "", { dueAt: 7, tags: ["t"] })));
    const [first, second, ...rest] = await pagesOf("f/");
    const others = rest.flatMap(({ entries }) => keysOf(entries)).toSorted();
    expect(await storage().sweep([first?.swath ?? "", second?.swath ?? ""], KEYS.length)).toBe(10);
    expect((await left()).toSorted()).toEqual(others);
    expect(keysOf((await storage().find("t", { limit: 99 })).entries).toSorted()).toEqual(others);
    const due = await storage().claim({ now: 9, limit: 99, owner: "w", until: 20 });
    expect(keysOf(due).toSorted()).toEqual(others);
  });

  test("a sweep leaves what was written since, and what has taken the place of what is gone", async () => {
    await storage().commit(["f/a", "f/b", "f/c", "f/d"].map((key) => put(key)));
    const version = await storage().writes();
    const [page] = await pagesOf("f/");
    await storage().commit([put("f/b", "new"), { op: "delete", key: "f/c" }, { op: "delete", key: "f/d" }]);
    await storage().commit([put("f/c"), put("f/e")]);
    expect(await storage().sweep([page?.swath ?? ""], version)).toBe(1);
    expect(await left()).toEqual(["f/b", "f/c", "f/e"]);
    expect(await storage().sweep([page?.swath ?? ""], version)).toBe(0);
  });

  test("what was written after the number was taken is walked, and not swept", async () => {
    await storage().commit([put("f/a")]);
    const version = await storage().writes();
    await storage().commit([put("f/b")]);
    const [page] = await pagesOf("f/");
    expect(keysOf(page?.entries ?? []).toSorted()).toEqual(["f/a", "f/b"]);
    expect(await storage().sweep([page?.swath ?? ""], version)).toBe(1);
    expect(await left()).toEqual(["f/b"]);
  });

  test("a sweep deletes what somebody has claimed, and counts no write", async () => {
    await storage().commit([put("f/a", "", { dueAt: 1 })]);
    await storage().claim({ now: 5, limit: 1, owner: "w", until: 9 });
    const [page] = await pagesOf("f/");
    expect(await storage().sweep([page?.swath ?? ""], 1)).toBe(1);
    await storage().release(["f/a"], "w");
    expect([await left(), await storage().nextDue(), await storage().writes()]).toEqual([[], null, 1]);
  });

  test("a sweep of nothing deletes nothing", async () => {
    await storage().commit([put("f/a")]);
    expect(await storage().sweep([], 1)).toBe(0);
    expect(await left()).toEqual(["f/a"]);
  });
}
