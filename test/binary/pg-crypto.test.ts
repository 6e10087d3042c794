import { describe, expect, test } from "bun:test";
import { createRequire } from "node:module";
import * as direct from "../../scripts/build/pg-crypto.ts";

/** pg's own, of which the compiled program has none. */
const own = createRequire(import.meta.url)("pg/lib/crypto/utils.js") as typeof direct;

const PASSWORDS = ["secret", "", "pässwörd ☂", "x".repeat(200)];
const hex = (bytes: Uint8Array | ArrayBuffer): string => Buffer.from(new Uint8Array(bytes)).toString("hex");

describe("what the compiled program logs in to PostgreSQL with", () => {
  test("has all that pg's own has", () => {
    expect(Object.keys(direct).sort()).toEqual(Object.keys(own).sort());
  });

  test.each(PASSWORDS)("answers as pg's own for the password %j", async (password) => {
    const salt = Buffer.from("a salt of sixteen");
    for (const iterations of [1, 4096, 20_001]) {
      const key = await direct.deriveKey(password, salt, iterations);
      expect(hex(key)).toBe(hex(await own.deriveKey(password, salt, iterations)));
      expect(hex(await direct.hmacSha256(key, password))).toBe(hex(await own.hmacSha256(key, password)));
      expect(hex(await direct.sha256(key))).toBe(hex(await own.sha256(key)));
    }
    expect(await direct.md5(password)).toBe(await own.md5(password));
    const [mine, theirs] = await Promise.all(
      [direct, own].map((functions) => functions.postgresMd5PasswordHash("user", password, salt)),
    );
    expect(mine).toBe(theirs ?? "");
  });

  test.each(["SHA-256", "SHA-384", "SHA-512"])("hashes a server's certificate by %s", async (name) => {
    const certificate = Buffer.from("a certificate");
    expect(hex(await direct.hashByName(name, certificate))).toBe(
      hex(await own.hashByName(name, certificate)),
    );
  });

  test("makes as many random bytes as are asked for", () => {
    expect(direct.randomBytes(18)).toHaveLength(18);
    expect(direct.randomBytes(18)).not.toEqual(direct.randomBytes(18));
  });
});
