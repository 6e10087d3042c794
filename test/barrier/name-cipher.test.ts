import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Lru } from "../../src/barrier/lru.ts";
import { NameCipher, STORED_KEY_LENGTH_MAX } from "../../src/barrier/name-cipher.ts";
import * as value from "../../src/barrier/value-cipher.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { checkKey, KEY_LENGTH_MAX, VALUE_BYTES_MAX } from "../../src/storage/limits.ts";
import { codeOf } from "./world.ts";

const newCipher = (): NameCipher => new NameCipher(systemRandom.bytes(32));

const segment = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
  .map((name) => name.replaceAll("/", ":"));
const key = fc.array(segment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/"));

describe("a name", () => {
  test("comes back as it was, from the cipher that made it and from a fresh one", () => {
    const nameKey = systemRandom.bytes(32);
    const made = new NameCipher(nameKey);
    fc.assert(
      fc.property(key, (plain) => {
        const stored = made.encryptKey(plain);
        expect(made.decryptKey(stored)).toBe(plain);
        expect(new NameCipher(nameKey).decryptKey(stored)).toBe(plain);
      }),
    );
  });

  test("is a key that every store takes, with as many segments, none of them legible", () => {
    const cipher = newCipher();
    fc.assert(
      fc.property(key, (plain) => {
        const stored = cipher.encryptKey(plain);
        checkKey(stored);
        expect(stored.split("/").length).toBe(plain.split("/").length);
        for (const part of stored.split("/")) expect(part).toMatch(/^[A-Za-z0-9_-]{23,}$/);
      }),
    );
  });

  test("lies below the encrypted prefix of its parents", () => {
    const cipher = newCipher();
    fc.assert(
      fc.property(key, segment, (parent, name) => {
        const prefix = cipher.encryptPrefix(`${parent}/`);
        expect(cipher.encryptKey(`${parent}/${name}`)).toStartWith(prefix);
        expect(
          cipher.decryptName(`${parent}/`, cipher.encryptKey(`${parent}/${name}`).slice(prefix.length)),
        ).toBe(name);
      }),
    );
  });

  test("looks different below another parent, and under another key", () => {
    const cipher = newCipher();
    const last = (stored: string): string | undefined => stored.split("/").at(-1);
    const seen = ["x", "a/x", "b/x", "a/b/x", "ab/x"].map((plain) => last(cipher.encryptKey(plain)));
    seen.push(last(newCipher().encryptKey("x")));
    expect(new Set(seen).size).toBe(seen.length);
  });

  test("that was moved below another parent is refused", async () => {
    const cipher = newCipher();
    const parents = ["", "a/", "b/", "a/b/", "a/a/"];
    for (const from of parents) {
      const name = cipher.encryptKey(`${from}x`).split("/").at(-1) ?? "";
      for (const to of parents) {
        const expected = from === to ? "none" : "BARRIER_DAMAGED";
        expect(await codeOf(() => cipher.decryptKey(cipher.encryptPrefix(to) + name))).toBe(expected);
        expect(await codeOf(() => cipher.decryptName(to, name))).toBe(expected);
        expect(await codeOf(() => cipher.decryptName(to, `${name}/`))).toBe(expected);
      }
    }
  });

  test.each([
    ["empty", ""],
    ["a slash", "/"],
    ["a slash at the start", "/a"],
    ["a slash at the end", "a/"],
    ["an empty segment", "a//b"],
    ["half of a surrogate pair", "a/\ud800"],
    ["too long", "x".repeat(STORED_KEY_LENGTH_MAX + 1)],
    ["too long once encrypted", "x/".repeat(STORED_KEY_LENGTH_MAX / 8).slice(0, -1)],
  ])("that is %s is refused", async (_, plain) => {
    expect(await codeOf(() => newCipher().encryptKey(plain))).toBe("USAGE");
  });

  test.each(["a", "/", "//", "a//"])("a prefix like %s is refused", async (prefix) => {
    expect(await codeOf(() => newCipher().encryptPrefix(prefix))).toBe("USAGE");
  });

  test("of the store with any number of slashes is refused, not followed", async () => {
    const cipher = newCipher();
    for (const stored of ["/".repeat(1_000_000), "a/".repeat(2_000), "_/keyring", "_"]) {
      expect(await codeOf(() => cipher.decryptKey(stored))).toBe("BARRIER_DAMAGED");
    }
  });

  test("of the right length for the barrier is one for the store, and so is a value", () => {
    expect(STORED_KEY_LENGTH_MAX).toBeLessThanOrEqual(KEY_LENGTH_MAX);
    expect(value.VALUE_BYTES_MAX + value.VALUE_OVERHEAD_BYTES).toBeLessThanOrEqual(VALUE_BYTES_MAX);
  });

  test("of more parents than are remembered comes back all the same", () => {
    const cipher = newCipher();
    const keys = Array.from({ length: 3_000 }, (_, index) => `parent-${index}/name`);
    const stored = keys.map((plain) => cipher.encryptKey(plain));
    expect(stored.map((name) => cipher.decryptKey(name))).toEqual(keys);
    expect(keys.map((plain) => cipher.encryptKey(plain))).toEqual(stored);
  });
});

describe("an Lru", () => {
  test("never keeps more than it may, and drops what was used longest ago", () => {
    const lru = new Lru<{ n: number }>(3);
    for (let n = 0; n < 3; n += 1) lru.set(`k${n}`, { n });
    expect(lru.get("k0")).toEqual({ n: 0 });
    lru.set("k3", { n: 3 });
    expect(lru.size).toBe(3);
    expect(["k0", "k1", "k2", "k3"].map((name) => lru.get(name)?.n)).toEqual([0, undefined, 2, 3]);
    lru.set("k0", { n: 9 });
    expect(lru.size).toBe(3);
    expect(lru.get("k0")).toEqual({ n: 9 });
  });
});
