/** The part of the storage contract that is about tags. */
import { expect, test } from "bun:test";
import { TAG_LENGTH_MAX } from "../../src/storage/limits.ts";
import { type StoredEntry, TAGS_MAX } from "../../src/storage/port.ts";
import { bytes, type Current, keysOf, put } from "./entries.ts";

export function tagging(storage: Current): void {
  const found = async (tag: string): Promise<string[]> =>
    keysOf((await storage().find(tag, { limit: 100 })).entries).toSorted();

  test("an entry is found by each of its tags, as it is, and by nothing else", async () => {
    const tags = Array.from({ length: TAGS_MAX }, (_, index) => `tag ${index}`);
    await storage().commit([put("a", "value", { dueAt: 10, tags }), put("b"), put("tag 0")]);
    const entry: StoredEntry = { key: "a", value: bytes("value"), version: 1, dueAt: 10 };
    for (const tag of tags)
      expect(await storage().find(tag, { limit: 9 })).toEqual({ entries: [entry], next: null });
    for (const other of ["tag", "tag 00", "a", "value"]) expect(await found(other)).toEqual([]);
  });

  test("a tag may be in another place of each entry", async () => {
    await storage().commit([
      put("a", "", { tags: ["x"] }),
      put("b", "", { tags: ["y", "x"] }),
      put("c", "", { tags: ["y"] }),
      put("d", "", { tags: ["z", "y", "x"] }),
    ]);
    expect(await found("x")).toEqual(["a", "b", "d"]);
    expect(await found("y")).toEqual(["b", "c", "d"]);
  });

  test("a put has its own tags or none, and leaves none of an earlier one", async () => {
    await storage().commit([put("a", "", { tags: ["x", "y"] }), put("b", "", { tags: ["x"] })]);
    await storage().commit([put("a", "", { tags: ["y", "z"] }), put("b")]);
    expect([await found("x"), await found("y"), await found("z")]).toEqual([[], ["a"], ["a"]]);
    await storage().commit([put("a", "", { tags: [] })]);
    expect([await found("y"), await found("z")]).toEqual([[], []]);
  });

  test("a deleted entry is not found, nor one that takes its place", async () => {
    await storage().commit([put("a", "", { tags: ["x"] })]);
    await storage().commit([{ op: "delete", key: "a" }]);
    expect(await found("x")).toEqual([]);
    await storage().commit([put("a")]);
    expect(await found("x")).toEqual([]);
  });

  test("a batch that is refused changes no tags", async () => {
    await storage().commit([put("a", "", { tags: ["x"] })]);
    const refused = storage().commit([put("a", "", { tags: ["y"] }), put("b", "", { expect: 7 })]);
    await expect(refused).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    expect([await found("x"), await found("y")]).toEqual([["a"], []]);
  });

  test("a claim leaves the tags, and a check does", async () => {
    const [version = 0] = await storage().commit([put("a", "", { dueAt: 1, tags: ["x"] })]);
    await storage().claim({ now: 5, limit: 1, owner: "w", until: 9 });
    await storage().release(["a"], "w");
    await storage().commit([{ op: "check", key: "a", expect: version }]);
    expect(await found("x")).toEqual(["a"]);
  });

  test("many are found page by page, each once, also while those of the pages before are deleted", async () => {
    const keys = Array.from({ length: 25 }, (_, index) => `n/${String(index).padStart(2, "0")}`);
    await storage().commit(
      keys.map((key, index) => put(key, "", { tags: index % 2 ? ["other", "x"] : ["x"] })),
    );
    const seen: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await storage().find("x", after === undefined ? { limit: 4 } : { limit: 4, after });
      seen.push(...keysOf(page.entries));
      await storage().commit(page.entries.map(({ key }) => ({ op: "delete", key })));
      if (page.next === null) break;
      after = page.next;
    }
    expect(seen.toSorted()).toEqual(keys);
  });

  test("no page is empty before the last, and the last says that it is", async () => {
    await storage().commit([put("a", "", { tags: ["x"] }), put("b", "", { tags: ["x"] })]);
    const first = await storage().find("x", { limit: 1 });
    expect(first.entries).toHaveLength(1);
    const second = await storage().find("x", { limit: 1, after: String(first.next) });
    expect(second.entries).toHaveLength(1);
    expect(second.next).toBeNull();
  });

  test.each([
    ["too many", Array.from({ length: TAGS_MAX + 1 }, (_, index) => String(index))],
    ["one twice", ["x", "x"]],
    ["an empty one", [""]],
    ["one that is too long", ["x".repeat(TAG_LENGTH_MAX + 1)]],
    ["one with NUL", ["x\0y"]],
  ])("a put with %s is refused", async (_, tags) => {
    await expect(storage().commit([put("a", "", { tags })])).rejects.toThrow(RangeError);
    expect(await storage().get("a")).toBeNull();
  });

  test.each([
    ["an empty tag", "", { limit: 1 }],
    ["a page without entries", "x", { limit: 0 }],
    ["an empty cursor", "x", { limit: 1, after: "" }],
  ])("finding with %s is refused", async (_, tag, page) => {
    await expect(storage().find(tag, page)).rejects.toThrow(RangeError);
  });
}
