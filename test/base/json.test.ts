import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ExactNumber, parseInput, parseJson, parseStored } from "../../src/base/json.ts";

describe("parsing JSON", () => {
  test.each([
    "9007199254740993",
    "-9007199254740993",
    "123456789012345678901234567890",
    "1.0",
    "0.10",
    "1e3",
    "1E-7",
    "-0",
    "-0.0",
    "3.141592653589793238",
    "1e400",
  ])("keeps %s as it was written, wherever it stands", (text) => {
    for (const [before, after] of [
      ["", ""],
      [" ", "\n"],
      ["[", "]"],
      ['{"a":', ',"b":1}'],
      ['{"a": [1,\t', "]}"],
    ]) {
      const document = `${before}${text}${after}`;
      const written = JSON.stringify(parseJson(document));
      expect(written).toBe(document.replaceAll(/\s/g, ""));
      // Once more: what is stored is parsed again.
      expect(JSON.stringify(parseJson(written))).toBe(written);
    }
  });

  test.each(["0", "1", "-7", "1.5", "9007199254740991", "0.001", "-12.25"])(
    "makes a plain number of %s",
    (text) => {
      expect(parseJson(text)).toBe(Number(text));
    },
  );

  test("reads what was stored as it was taken", () => {
    const document = '{"a":[1.0,9007199254740993,7,"é日🦊"],"b":{"constructor":"__proto__"}}';
    const stored = new TextEncoder().encode(JSON.stringify(parseInput(document)));
    expect(JSON.stringify(parseStored(stored))).toBe(document);
    expect(() => parseStored(stored.subarray(1))).toThrow(SyntaxError);
  });

  test("gives the number itself to who calculates with it", () => {
    expect(new ExactNumber("1e3").plain()).toBe(1000);
    expect(new ExactNumber("2.50").plain()).toBe(2.5);
    expect(new ExactNumber("9007199254740993").plain()).toBe("9007199254740993");
    expect(`${new ExactNumber("1.0")}`).toBe("1.0");
  });

  test("takes no text for a number", () => {
    const texts = ["1.0", ":1.0", ", 12345678901234567", " -0", "1e5", '":1.0'];
    expect(parseJson(JSON.stringify({ texts, "a:1.0": ":2.0" }))).toEqual({ texts, "a:1.0": ":2.0" });
  });

  test("refuses prototype keys, at any depth, in what is to be kept", () => {
    for (const text of [
      '{"__proto__":1}',
      '{"a":[{"b":{"__proto__":{}}}]}',
      '{"a":1.0,"\\u005f_proto__":1.0}',
    ])
      expect(() => parseInput(text)).toThrow('"__proto__" cannot be a key');
    expect(parseInput('{"constructor":"__proto__"}')).toEqual({ constructor: "__proto__" });
  });

  test("drops prototype keys and counts levels with such numbers as well", () => {
    expect(Object.keys(parseJson('{"__proto__":{"x":1.0},"a":1.0}') as object)).toEqual(["a"]);
    expect(() => parseJson(`${"[".repeat(70)}1.0${"]".repeat(70)}`)).toThrow("nested deeper than 64 levels");
  });

  test("reads whatever JSON.stringify writes as JSON.parse does", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        expect(JSON.parse(JSON.stringify(parseJson(text)))).toEqual(
          JSON.parse(text, (key, value) => (key === "__proto__" ? undefined : value)),
        );
      }),
    );
  });
});
