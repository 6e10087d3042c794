import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ApiError } from "../../src/base/errors.ts";
import { generatePassword } from "../../src/framework/password.ts";
import { seededRandom } from "./seeded-random.ts";

describe("a password", () => {
  test("has 20 characters, at least one of each class, and no others", () => {
    fc.assert(
      fc.property(fc.string(), (seed) => {
        const password = generatePassword(seededRandom(seed));
        expect(password).toMatch(/^[a-zA-Z0-9-]{20}$/);
        for (const wanted of [/[a-z]/, /[A-Z]/, /[0-9]/, /-/]) expect(password).toMatch(wanted);
      }),
      { numRuns: 500 },
    );
  });

  test("may begin and end with any of its characters", () => {
    const random = seededRandom("ends");
    const passwords = Array.from({ length: 3000 }, () => generatePassword(random));
    expect(new Set(passwords.map((password) => password.at(0))).size).toBe(63);
    expect(new Set(passwords.map((password) => password.at(-1))).size).toBe(63);
  });

  test("never comes twice", () => {
    const random = seededRandom("twice");
    const passwords = Array.from({ length: 1000 }, () => generatePassword(random));
    expect(new Set(passwords).size).toBe(1000);
  });

  test("follows other rules", () => {
    const rules = {
      length: 8,
      rules: [
        { charset: "ab", minChars: 3 },
        { charset: "bcd", minChars: 0 },
      ],
    };
    const password = generatePassword(seededRandom("rules"), rules);
    expect(password).toMatch(/^[abcd]{8}$/);
    expect(password.replace(/[^ab]/g, "").length).toBeGreaterThanOrEqual(3);
  });

  test("is refused where no password could follow the rules", () => {
    const impossible = {
      length: 1,
      rules: [
        { charset: "a", minChars: 1 },
        { charset: "b", minChars: 1 },
      ],
    };
    expect(() => generatePassword(seededRandom("none"), impossible)).toThrow(
      new ApiError(500, "timed out generating string"),
    );
  });
});
