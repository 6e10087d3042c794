/** The vectors were made by an independent implementation of docs/cryptography.md. */
import { describe, expect, test } from "bun:test";
import { argon2Sync } from "node:crypto";
import { decryptKeyring, encryptKeyring } from "../../src/barrier/keyring.ts";
import { NameCipher } from "../../src/barrier/name-cipher.ts";
import { keyringKeys } from "../../src/barrier/root-key.ts";
import { TagHash } from "../../src/barrier/tag-hash.ts";
import { decryptValue, encryptValue, termOf } from "../../src/barrier/value-cipher.ts";
import vectors from "./vectors.json";
import { beginnings, codeOf, fixedRandom, flips, keyFrom } from "./world.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");
const names = () => new NameCipher(bytes(vectors.nameKey));
const key = keyFrom(vectors.termKey);
const root = keyringKeys(bytes(vectors.rootKey));

describe("names", () => {
  test.each(vectors.names)("$plain is encrypted as the vector says, and back", ({ plain, stored }) => {
    expect(names().encryptKey(plain)).toBe(stored);
    expect(names().decryptKey(stored)).toBe(plain);
  });

  test.each(vectors.names)(
    "$plain with any bit of any segment turned over is refused",
    async ({ stored }) => {
      const cipher = names();
      const segments = stored.split("/");
      for (const [index, segment] of segments.entries()) {
        for (const flipped of flips(Buffer.from(segment, "base64url"))) {
          const bad = segments.with(index, Buffer.from(flipped).toString("base64url")).join("/");
          expect(await codeOf(() => cipher.decryptKey(bad))).toBe("BARRIER_DAMAGED");
        }
      }
    },
  );

  test.each(vectors.names)("$plain cut short inside of a segment is refused", async ({ stored }) => {
    const cipher = names();
    const last = stored.lastIndexOf("/") + 1;
    for (let length = last; length < stored.length; length += 1) {
      expect(await codeOf(() => cipher.decryptKey(stored.slice(0, length)))).toBe("BARRIER_DAMAGED");
    }
  });

  test("a name has one spelling", async () => {
    const stored = vectors.names[0]?.stored ?? "";
    const unusedBits = `${stored.slice(0, -1)}B`;
    expect(Buffer.from(unusedBits, "base64url")).toEqual(Buffer.from(stored, "base64url"));
    for (const bad of [unusedBits, `${stored}=`, `${stored}.`, ` ${stored}`, `${stored}\n`]) {
      expect(await codeOf(() => names().decryptKey(bad))).toBe("BARRIER_DAMAGED");
    }
  });
});

describe("tags", () => {
  test.each(vectors.tags)("$plain is hashed as the vector says", ({ plain, stored }) => {
    const tags = new TagHash(bytes(vectors.nameKey));
    expect(tags.hash(plain)).toBe(stored);
    expect(tags.hash(plain)).toBe(stored);
  });
});

describe("values", () => {
  const open = (keyName: string, sealed: Uint8Array) => decryptValue(() => key, keyName, sealed);

  test.each(vectors.values)("term $term at $key is encrypted as the vector says, and back", (vector) => {
    const random = fixedRandom(vectors.nonce);
    const sealed = encryptValue({ term: vector.term, key }, vector.key, bytes(vector.value), random);
    expect(sealed.toString("hex")).toBe(vector.sealed);
    expect(termOf(sealed)).toBe(vector.term);
    expect(open(vector.key, sealed).toString("hex")).toBe(vector.value);
  });

  test.each(vectors.values)("term $term at $key with any bit turned over is refused", async (vector) => {
    for (const flipped of flips(bytes(vector.sealed))) {
      expect(await codeOf(() => open(vector.key, flipped))).toBe("BARRIER_DAMAGED");
    }
  });

  test.each(vectors.values)(
    "term $term at $key cut at any length, or lengthened, is refused",
    async (vector) => {
      const sealed = bytes(vector.sealed);
      for (const bad of [...beginnings(sealed), Buffer.concat([sealed, Buffer.of(0)])]) {
        expect(await codeOf(() => open(vector.key, bad))).toBe("BARRIER_DAMAGED");
      }
    },
  );

  test.each(vectors.values)(
    "term $term at $key is refused at any other key",
    async ({ key: place, sealed }) => {
      for (const other of ["", `${place}x`, `${place}/`, place.slice(0, -1), place.toUpperCase()]) {
        expect(await codeOf(() => open(other, bytes(sealed)))).toBe("BARRIER_DAMAGED");
      }
    },
  );

  test.each([0, 2, 255])("format %d is refused", async (format) => {
    const sealed = bytes(vectors.values[0]?.sealed ?? "");
    sealed[0] = format;
    expect(await codeOf(() => open("a", sealed))).toBe("BARRIER_DAMAGED");
    expect(termOf(sealed)).toBeNull();
  });

  test("a term that the keyring does not have is refused", async () => {
    const sealed = bytes(vectors.values[0]?.sealed ?? "");
    expect(await codeOf(() => decryptValue(() => undefined, "a", sealed))).toBe("BARRIER_DAMAGED");
  });
});

describe("the keyring", () => {
  const sealed = bytes(vectors.keyring.sealed);

  test("is encrypted as the vector says, and back", () => {
    const keyring = decryptKeyring(root, sealed);
    expect(Buffer.from(keyring.nameKey).toString("hex")).toBe(vectors.nameKey);
    expect(Buffer.from(keyring.hashKey).toString("hex")).toBe(vectors.hashKey);
    expect(keyring.terms.map(({ term, installedAt, putsBefore }) => [term, installedAt, putsBefore])).toEqual(
      [
        [1, 1_700_000_000_000, 2],
        [2, 1_700_000_100_000, 40],
      ],
    );
    expect(encryptKeyring(root, keyring, fixedRandom(vectors.nonce)).toString("hex")).toBe(
      vectors.keyring.sealed,
    );
  });

  test("with any bit turned over is refused: in the check as another key's, elsewhere as damaged", async () => {
    let bit = 0;
    for (const flipped of flips(sealed)) {
      const at = bit >> 3;
      const code = at >= 1 && at <= 16 ? "SEAL_WRONG_KEY" : "BARRIER_DAMAGED";
      expect(await codeOf(() => decryptKeyring(root, flipped))).toBe(code);
      bit += 1;
    }
  });

  test("cut at any length is refused", async () => {
    for (const cut of beginnings(sealed)) {
      expect(await codeOf(() => decryptKeyring(root, cut))).toBe("BARRIER_DAMAGED");
    }
  });

  test("under another root key is refused as the wrong key", async () => {
    for (const flipped of flips(bytes(vectors.rootKey))) {
      expect(await codeOf(() => decryptKeyring(keyringKeys(flipped), sealed))).toBe("SEAL_WRONG_KEY");
    }
  });
});

test("Argon2id is that of RFC 9106 section 5.3", () => {
  const tag = argon2Sync("argon2id", {
    message: Buffer.alloc(32, 1),
    nonce: Buffer.alloc(16, 2),
    secret: Buffer.alloc(8, 3),
    associatedData: Buffer.alloc(12, 4),
    parallelism: 4,
    memory: 32,
    passes: 3,
    tagLength: 32,
  });
  expect(tag.toString("hex")).toBe("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
});
