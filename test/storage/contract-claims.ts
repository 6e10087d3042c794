/** The part of the storage contract that is about due times and claims. */
import { beforeEach, expect, test } from "bun:test";
import type { StoredEntry } from "../../src/storage/port.ts";
import { bytes, type Current, keysOf, put } from "./entries.ts";

export function claiming(storage: Current): void {
  const claim = (now: number, limit = 10, owner = "w", until = now + 1000): Promise<readonly StoredEntry[]> =>
    storage().claim({ now, limit, owner, until });

  test("only what is due is claimed, the longest due first", async () => {
    await storage().commit([
      put("soon", "", { dueAt: 30 }),
      put("never"),
      put("first", "", { dueAt: 10 }),
      put("late", "", { dueAt: 31 }),
      put("second", "", { dueAt: 20 }),
    ]);
    expect(keysOf(await claim(30))).toEqual(["first", "second", "soon"]);
  });

  test("a claim hands out the entry as it is, and leaves its version and due time", async () => {
    await storage().commit([put("a", "value", { dueAt: 10 })]);
    const entry = { key: "a", value: bytes("value"), version: 1, dueAt: 10 };
    expect(await claim(10)).toEqual([entry]);
    expect(await storage().get("a")).toEqual(entry);
    expect(await storage().commit([put("a", "new", { expect: 1 })])).toEqual([2]);
  });

  test("due times before the epoch and at it are due", async () => {
    await storage().commit([put("zero", "", { dueAt: 0 }), put("minus", "", { dueAt: -5 })]);
    expect(await storage().nextDue()).toBe(-5);
    expect(keysOf(await claim(0))).toEqual(["minus", "zero"]);
  });

  test("a limit bounds the claim, and the rest goes to the next", async () => {
    await storage().commit([1, 2, 3, 4, 5].map((dueAt) => put(`e${dueAt}`, "", { dueAt })));
    expect(keysOf(await claim(9, 2, "one"))).toEqual(["e1", "e2"]);
    expect(keysOf(await claim(9, 2, "two"))).toEqual(["e3", "e4"]);
    expect(keysOf(await claim(9, 2, "one"))).toEqual(["e5"]);
    expect(await claim(9, 2, "one")).toEqual([]);
  });

  test("what is claimed is not claimed twice, not even by its owner, until the claim lapses", async () => {
    await storage().commit([put("a", "", { dueAt: 10 })]);
    await claim(10, 1, "one", 100);
    expect(await claim(99, 1, "one")).toEqual([]);
    expect(await claim(99, 1, "two")).toEqual([]);
    expect(keysOf(await claim(100, 1, "two"))).toEqual(["a"]);
  });

  test("a lapsed claim takes its place in the order of due times again", async () => {
    await storage().commit([put("first", "", { dueAt: 10 }), put("second", "", { dueAt: 20 })]);
    expect(keysOf(await claim(15, 5, "dead", 50))).toEqual(["first"]);
    expect(keysOf(await claim(60, 5, "alive"))).toEqual(["first", "second"]);
  });

  test("claims made at the same time share nothing", async () => {
    await storage().commit(Array.from({ length: 20 }, (_, index) => put(`e/${index}`, "", { dueAt: index })));
    const claims = await Promise.all(["a", "b", "c", "d"].map((owner) => claim(50, 7, owner)));
    const keys = claims.flatMap(keysOf);
    expect(keys).toHaveLength(20);
    expect(new Set(keys).size).toBe(20);
  });

  test("a deleted entry, and one whose due time was taken away, is not claimed", async () => {
    await storage().commit([
      put("a", "", { dueAt: 1 }),
      put("b", "", { dueAt: 1 }),
      put("c", "", { dueAt: 1 }),
    ]);
    await storage().commit([{ op: "delete", key: "a" }, put("b")]);
    expect(keysOf(await claim(5))).toEqual(["c"]);
  });
}

export function claimEnds(storage: Current): void {
  const claimed = async (now: number): Promise<string[]> =>
    keysOf(await storage().claim({ now, limit: 10, owner: "next", until: now + 1000 }));

  beforeEach(async () => {
    await storage().commit([put("a", "", { dueAt: 10 })]);
    await storage().claim({ now: 10, limit: 1, owner: "w", until: 100 });
  });

  test("a put ends the claim", async () => {
    await storage().commit([put("a", "", { dueAt: 20 })]);
    expect(await storage().nextDue()).toBe(20);
    expect(await claimed(20)).toEqual(["a"]);
  });

  test("a delete ends the claim, also for an entry that is put anew", async () => {
    await storage().commit([{ op: "delete", key: "a" }]);
    expect(await storage().nextDue()).toBeNull();
    await storage().commit([put("a", "", { dueAt: 20 })]);
    expect(await claimed(20)).toEqual(["a"]);
  });

  test("the owner's release ends the claim", async () => {
    await storage().release(["never", "a"], "w");
    expect(await storage().nextDue()).toBe(10);
    expect(await claimed(11)).toEqual(["a"]);
  });

  test("a release by someone else, by a former owner, or of nothing, ends no claim", async () => {
    await storage().release(["a"], "other");
    await storage().release([], "w");
    expect(await claimed(50)).toEqual([]);
    expect(await claimed(100)).toEqual(["a"]);
    await storage().release(["a"], "w");
    expect(await claimed(101)).toEqual([]);
  });

  test("nextDue is the earlier of the next due time and the next claim's end", async () => {
    expect(await storage().nextDue()).toBe(100);
    await storage().commit([put("b", "", { dueAt: 150 })]);
    expect(await storage().nextDue()).toBe(100);
    await storage().commit([put("c", "", { dueAt: 50 })]);
    expect(await storage().nextDue()).toBe(50);
    await storage().commit([
      { op: "delete", key: "a" },
      { op: "delete", key: "c" },
    ]);
    expect(await storage().nextDue()).toBe(150);
  });

  test("a claim that ends before its entry was due lapses, and does not hide the entry's due time", async () => {
    await storage().commit([put("a", "", { dueAt: 10 })]);
    await storage().claim({ now: 20, limit: 1, owner: "w", until: 5 });
    expect(await storage().nextDue()).toBe(10);
    expect(await claimed(10)).toEqual(["a"]);
  });
}
