import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parsePasswordPolicy } from "../../../src/core/passwords/parse.ts";

describe("a password policy", () => {
  test("is a length and rules", () => {
    const text = `
      # For the mainframe.
      length = 20
      rule "charset" {
        charset = "abcdefghijklmnopqrstuvwxyz"
        min-chars = 1
      }
      rule "charset" {
        charset = "0123456789"
      }`;
    expect(parsePasswordPolicy(text)).toEqual({
      length: 20,
      rules: [
        { charset: "abcdefghijklmnopqrstuvwxyz", minChars: 1 },
        { charset: "0123456789", minChars: 0 },
      ],
    });
  });

  test.each([
    '{"length": 8, "rule": {"charset": {"charset": "ab", "min-chars": 2}}}',
    '{"length": 8, "rule": [{"charset": {"charset": "ab", "min-chars": 2}}]}',
    '{"length": 8, "rule": [{"charset": [{"charset": "ab", "min-chars": "2"}]}]}',
  ])("may be JSON: %s", (text) => {
    expect(parsePasswordPolicy(text)).toEqual({ length: 8, rules: [{ charset: "ab", minChars: 2 }] });
  });

  test("counts characters, not their bytes", () => {
    const { rules } = parsePasswordPolicy('length = 4 rule "charset" { charset = "äö🙂" min-chars = 4 }');
    expect(rules).toEqual([{ charset: "äö🙂", minChars: 4 }]);
  });

  test.each([
    ['rule "charset" { charset = "ab" }', "length must be > 0"],
    [
      'length = 4 rule "charset" { charset = "ab" min-chars = 3 } rule "charset" { charset = "c" min-chars = 2 }',
      "specified rules require at least 5 characters but 4 is specified",
    ],
    ["length = 8", "no charset specified"],
    ['length = 8 rule "charset" { charset = "a\\tb" }', "non-printable character in charset"],
    ['length = 8 rule "regex" { charset = "ab" }', 'unknown rule type "regex" on line 1, column 17'],
    ['length = 8 rule "charset" { }', "a charset rule needs a charset on line 1, column 17"],
    [
      'length = "x" rule "charset" { charset = "ab" }',
      "length must be a whole number, 0 or more on line 1, column 10",
    ],
    ["lenght = 8", 'invalid key "lenght" on line 1, column 1'],
    [
      'length = 8 rule "charset" { charset = "ab" min_chars = 1 }',
      'invalid key "min_chars" in a rule on line 1, column 44',
    ],
    ["length = 8 rule = 3", "expected a block on line 1, column 19"],
  ])("%s is refused: %s", (text, message) => {
    expect(() => parsePasswordPolicy(text)).toThrow(new SyntaxError(message));
  });

  test("of any text is read, or refused with a SyntaxError", () => {
    const pieces = fc.constantFrom(
      "length",
      "=",
      "8",
      "rule",
      '"charset"',
      "{",
      "}",
      "charset",
      '"ab"',
      "min-chars",
      "[",
      "]",
      ",",
      ":",
      "-1",
      "\n",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((all) => all.join(" ")),
        ),
        (text) => {
          try {
            parsePasswordPolicy(text);
          } catch (error) {
            expect(error).toBeInstanceOf(SyntaxError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
