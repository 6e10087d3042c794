import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Json } from "../../src/base/json.ts";
import { type FieldSpec, field } from "../../src/framework/field.ts";

const description = "A field.";

/** Each kind with values it takes, what they become, and values it refuses with their reasons. */
const KINDS: readonly {
  readonly kind: keyof typeof field;
  readonly good: readonly (readonly [Json, unknown])[];
  readonly bad: readonly (readonly [Json, string | RegExp])[];
}[] = [
  {
    kind: "string",
    good: [
      ["a", "a"],
      ["", ""],
      [" a ", " a "],
      [5, "5"],
      [1.5, "1.5"],
      [true, "1"],
      [false, "0"],
    ],
    bad: [
      [[], "expected a string, got a list"],
      [["a"], "expected a string, got a list"],
      [{}, "expected a string, got a map"],
      [{ a: "b" }, "expected a string, got a map"],
    ],
  },
  {
    kind: "lowerCaseString",
    good: [
      ["AbC", "abc"],
      [5, "5"],
    ],
    bad: [
      [["A"], "expected a string, got a list"],
      [{}, "expected a string, got a map"],
    ],
  },
  {
    kind: "int",
    good: [
      [5, 5],
      [-5, -5],
      [-0, 0],
      ["5", 5],
      ["-5", -5],
      ["+5", 5],
      ["", 0],
      ["0x1F", 31],
      ["0b101", 5],
      ["0o17", 15],
      ["017", 15],
      ["1_000", 1000],
      ["-0", 0],
      [true, 1],
      [false, 0],
      ["9007199254740991", 9007199254740991],
    ],
    bad: [
      [1.5, 'cannot parse "1.5" as int'],
      ["1.5", 'cannot parse "1.5" as int'],
      [1e300, /as int/],
      ["abc", 'cannot parse "abc" as int'],
      ["5 ", 'cannot parse "5 " as int'],
      ["08", 'cannot parse "08" as int'],
      ["1__0", /as int/],
      ["_1", /as int/],
      ["0x", /as int/],
      ["1e3", /as int/],
      ["9007199254740993", /as int/],
      ["٣", /as int/],
      [[], "expected an int, got a list"],
      [{}, "expected an int, got a map"],
      ["x".repeat(1000), /^cannot parse "x{80}…" as int$/],
    ],
  },
  {
    kind: "float",
    good: [
      [1.5, 1.5],
      ["1.5", 1.5],
      [".5", 0.5],
      ["5.", 5],
      ["-1e3", -1000],
      ["", 0],
      [true, 1],
    ],
    bad: [
      ["abc", 'cannot parse "abc" as float'],
      ["NaN", /as float/],
      ["inf", /as float/],
      ["1e999", /as float/],
      ["0x10", /as float/],
      ["1,5", /as float/],
      [[1.5], "expected a float, got a list"],
      [{}, "expected a float, got a map"],
    ],
  },
  {
    kind: "bool",
    good: [
      [true, true],
      [false, false],
      [1, true],
      [0, false],
      ["true", true],
      ["True", true],
      ["TRUE", true],
      ["t", true],
      ["T", true],
      ["1", true],
      ["false", false],
      ["F", false],
      ["0", false],
      ["", false],
    ],
    bad: [
      ["yes", 'cannot parse "yes" as bool'],
      ["tRUE", 'cannot parse "tRUE" as bool'],
      [" true", /as bool/],
      [2, 'cannot parse "2" as bool'],
      [-1, /as bool/],
      [[true], "expected a bool, got a list"],
      [{}, "expected a bool, got a map"],
    ],
  },
  {
    kind: "duration",
    good: [
      [3600, 3600],
      ["3600", 3600],
      ["1h30m", 5400],
      ["1.5h", 5400],
      ["90m", 5400],
      ["500ms", 0],
      ["-500ms", 0],
      ["30d", 2592000],
      ["", 0],
      [0, 0],
      ["-0", 0],
    ],
    bad: [
      [-5, "cannot provide negative value '-5'"],
      ["-5", "cannot provide negative value '-5'"],
      ["-1h", "cannot provide negative value '-3600'"],
      [1.5, 'time: missing unit in duration "1.5"'],
      ["1d12h", /^time: invalid duration/],
      ["1.5d", /^time: /],
      ["h", 'time: invalid duration "h"'],
      ["1y", /^time: invalid duration/],
      [1e21, /^time: /],
      ["99999999999", /^time: invalid duration/],
      [true, "could not parse duration from input"],
      [[60], "could not parse duration from input"],
      [{}, "could not parse duration from input"],
    ],
  },
  {
    kind: "signedDuration",
    good: [
      [-5, -5],
      ["-1h", -3600],
      ["1h", 3600],
      ["-500ms", 0],
    ],
    bad: [
      ["minus", /^time: invalid duration/],
      [false, "could not parse duration from input"],
    ],
  },
  {
    kind: "time",
    good: [
      ["2024-02-29T12:00:00Z", Date.UTC(2024, 1, 29, 12)],
      ["2024-02-29T12:00:00.5+02:00", Date.UTC(2024, 1, 29, 10, 0, 0, 500)],
      ["2024-02-29T12:00:00.123456789Z", Date.UTC(2024, 1, 29, 12, 0, 0, 123)],
      [1700000000, 1700000000000],
      ["1700000000", 1700000000000],
      ["-1", -1000],
      [0, 0],
    ],
    bad: [
      ["2023-02-29T12:00:00Z", "could not parse string as date and time"],
      ["2024-13-01T12:00:00Z", "could not parse string as date and time"],
      ["2024-00-01T12:00:00Z", "could not parse string as date and time"],
      ["2024-02-29T24:00:00Z", "could not parse string as date and time"],
      ["2024-02-29T12:60:00Z", "could not parse string as date and time"],
      ["2024-02-29T12:00:00+25:00", "could not parse string as date and time"],
      ["2024-02-29", "could not parse string as date and time"],
      ["2024-02-29 12:00:00", "could not parse string as date and time"],
      ["yesterday", "could not parse string as date and time"],
      ["", "could not parse string as date and time"],
      [1.5, "could not parse string as date and time"],
      ["99999999999999999", "could not parse string as date and time"],
      [true, "could not parse time from input type"],
      [[], "could not parse time from input type"],
    ],
  },
  {
    kind: "list",
    good: [
      [
        [1, "a", { b: 2 }],
        [1, "a", { b: 2 }],
      ],
      ["a", ["a"]],
      [{ a: 1 }, [{ a: 1 }]],
      [{}, []],
      [[], []],
    ],
    bad: [[new Array<Json>(100_001).fill(0), "more than 100000 elements"]],
  },
  {
    kind: "stringList",
    good: [
      ["a, b", ["a, b"]],
      ["", []],
      [
        [" a ", 5, true, null],
        ["a", "5", "1", ""],
      ],
      [5, ["5"]],
      [[], []],
      [{}, []],
    ],
    bad: [
      [{ a: "b" }, "expected a string, got a map"],
      [[["a"]], "expected a string, got a list"],
      [[{}], "expected a string, got a map"],
    ],
  },
  {
    kind: "commaStringList",
    good: [
      ["a, b", ["a", "b"]],
      ["a", ["a"]],
      ["", []],
      ["a,,b", ["a", "", "b"]],
      ['["a,b", "c"]', ["a,b", "c"]],
      ["[a],b", ["[a]", "b"]],
      [
        ["a,b", " c "],
        ["a,b", "c"],
      ],
      [5, ["5"]],
    ],
    bad: [
      [{ a: "b" }, "expected a string, got a map"],
      ['[["a"]]', "expected a string, got a list"],
      [[{}], "expected a string, got a map"],
    ],
  },
  {
    kind: "commaIntList",
    good: [
      ["1, 2", [1, 2]],
      ["1,,2", [1, 2]],
      [
        [1, "2"],
        [1, 2],
      ],
      [7, [7]],
      ["", []],
    ],
    bad: [
      ["1,a", 'cannot parse "a" as int'],
      [[1.5], 'cannot parse "1.5" as int'],
      [{ a: 1 }, "expected a string, got a map"],
    ],
  },
  {
    kind: "map",
    good: [
      [{ a: [1] }, { a: [1] }],
      [{}, {}],
      [[], {}],
      [[{ a: 1 }, { a: 2, b: 3 }], { a: 2, b: 3 }],
    ],
    bad: [
      ["a=b", "expected a map, got a string"],
      [["a=b"], "expected a map, got a list"],
      [5, "expected a map, got a number"],
      [true, "expected a map, got a bool"],
    ],
  },
  {
    kind: "kvPairs",
    good: [
      [
        { a: "b", c: 5, d: true, e: null },
        { a: "b", c: "5", d: "1", e: "" },
      ],
      [["a=b", "c=d=e"], { a: "b", c: "d=e" }],
      ["a=b", { a: "b" }],
      ["a=", { a: "" }],
      [[], {}],
      [{}, {}],
      [["a=1", "a=2"], { a: "2" }],
    ],
    bad: [
      ["a", 'invalid key pair "a"'],
      ["", 'invalid key pair ""'],
      ["=b", 'invalid key pair "=b"'],
      [["a=b", "c"], 'invalid key pair "c"'],
      [5, 'invalid key pair "5"'],
      [{ a: {} }, "expected a string, got a map"],
      [{ a: ["b"] }, "expected a string, got a list"],
      [["a=b", { c: "d" }], "expected a string, got a map"],
    ],
  },
];

describe.each(KINDS)("a field of kind $kind", ({ kind, good, bad }) => {
  const spec: FieldSpec<unknown> = field[kind]({ description });

  test.each(good.map(([value, wanted]) => ({ input: shorten(value), value, wanted })))(
    "takes $input",
    ({ value, wanted }) => {
      expect(spec.parse(value)).toEqual(wanted);
    },
  );

  test.each(bad.map(([input, reason]) => ({ input: shorten(input), value: input, reason })))(
    "refuses $input",
    ({ value, reason }) => {
      const parse = () => spec.parse(value);
      expect(parse).toThrow(SyntaxError);
      expect(parse).toThrow(typeof reason === "string" ? new SyntaxError(reason) : reason);
    },
  );

  test("gives a value of its type or a SyntaxError for any JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        if (value === null) return;
        try {
          expect(typeof spec.parse(value as Json)).toBe(typeof spec.zero);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
    );
  });
});

function shorten(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

test("maps and pairs never carry a __proto__ key", () => {
  const hostile = JSON.parse('{"__proto__":"x","a":"b"}') as Json;
  const pairs = field.kvPairs({ description });
  const refusal = '"__proto__" cannot be a key';
  expect(() => pairs.parse(hostile)).toThrow(refusal);
  expect(() => pairs.parse(["__proto__=x", "a=b"])).toThrow(refusal);
  expect(() => field.map({ description }).parse([hostile])).toThrow(refusal);
});

test("zero values cannot be changed by one request for the next", () => {
  const { zero } = field.stringList({ description });
  expect(Object.isFrozen(zero)).toBe(true);
  expect(Object.isFrozen(field.map({ description }).zero)).toBe(true);
});
