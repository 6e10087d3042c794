import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Body, elementsOf, type Value } from "../../../src/base/hcl/ast.ts";
import { HclError } from "../../../src/base/hcl/error.ts";
import { formatPolicy } from "../../../src/base/hcl/format.ts";
import { parseHcl } from "../../../src/base/hcl/parse.ts";
import { parsePolicy } from "../../../src/core/policies/parse.ts";

const RUNS = process.env.SLOW === "1" ? 20_000 : 500;
const TIMEOUT_MS = 120_000;

/** What a document says, without positions, comments and the way it is written. Repetition and order count. */
function meaning(body: Body): unknown {
  return elementsOf(body.entries).map(({ keys, assigned, value }) => [
    keys.map(({ text }) => text),
    assigned,
    meaningOf(value),
  ]);
}

function meaningOf(value: Value): unknown {
  switch (value.kind) {
    case "string":
    case "heredoc":
      return value.text;
    case "number":
      return value.number;
    case "bool":
      return value.bool;
    case "null":
      return null;
    case "list":
      return { list: elementsOf(value.entries).map(meaningOf) };
    case "object":
      return { object: meaning(value.body) };
  }
}

function comments(text: string): readonly string[] {
  // The texts made below have these marks nowhere else.
  return (text.match(/(?:#|\/\/) c\d+|\/\* c\d+\s*\*\//g) ?? []).toSorted();
}

/** What a parser makes of a text: the one error it may throw, or that there was none. Others are rethrown. */
function outcome(parse: () => unknown): HclError | "read" {
  try {
    parse();
    return "read";
  } catch (error) {
    if (error instanceof HclError) return error;
    throw error;
  }
}

const WORD = fc.constantFrom("path", "name", "a", "capabilities", "a-b.c", "_x", "été");
const COMMENT = fc
  .tuple(fc.nat(99), fc.constantFrom("#", "//", "/*", "/*\n"))
  .map(([n, mark]) => (mark.startsWith("/*") ? `/* c${n}${mark.slice(2)}*/` : `${mark} c${n}\n`));
const GAP = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(" ", "\n", "\n\n", "\n\n\n", "\t", "\r\n") },
  { weight: 1, arbitrary: COMMENT.map((comment) => ` ${comment} `) },
);
const STRING = fc
  .oneof(fc.string(), fc.constantFrom("secret/+/x*", "é😀", "{{identity.entity.id}}", "__proto__"))
  .map((text) => JSON.stringify(text).replace(/[\u007f-\uffff]/g, ""))
  .filter((raw) => !raw.includes("${") && !raw.includes("#") && !raw.includes("//") && !raw.includes("/*"));
const HEREDOC = fc.constantFrom("<<EOF\none\n  two\nEOF\n", "<<-E\n    one\n\n    two\n    E\n", "<<E\nE\n");
const SCALAR = fc.oneof(
  STRING,
  fc.integer().map(String),
  fc.constantFrom("true", "false", "1.5e3", "0x1f", "-.5", "010"),
  HEREDOC,
);

const { body: BODY } = fc.letrec<{ body: string; item: string; value: string; list: string; object: string }>(
  (tie) => ({
    body: fc
      .array(fc.tuple(tie("item"), GAP), { maxLength: 4 })
      .map((items) => items.map(([item, gap]) => `${item}${gap}\n`).join("")),
    item: fc.oneof(
      { depthSize: "small" },
      fc
        .tuple(GAP, WORD, GAP, GAP, tie("value"))
        .map(([a, key, b, c, value]) => `${a}${key}${b}=${c}${value}`),
      fc.tuple(WORD, GAP, STRING, GAP, tie("object")).map((parts) => parts.join("")),
    ),
    value: fc.oneof({ depthSize: "small" }, SCALAR, tie("list"), tie("object")),
    list: fc
      .tuple(fc.array(fc.tuple(GAP, tie("value"), GAP), { maxLength: 4 }), fc.boolean(), GAP)
      .map(([elements, comma, gap]) => {
        const texts = elements.map((parts) => parts.join(""));
        return `[${texts.join(",")}${comma && texts.length > 0 ? "," : ""}${gap}]`;
      }),
    object: fc.tuple(GAP, tie("body")).map(([gap, body]) => `{${gap}${body}}`),
  }),
);

describe("the formatter", () => {
  test(
    "keeps what a document says and every comment, and formatting again changes nothing",
    () => {
      fc.assert(
        fc.property(BODY, (text) => {
          const formatted = formatPolicy(text);
          expect(meaning(parseHcl(formatted))).toEqual(meaning(parseHcl(text)));
          expect(comments(formatted)).toEqual(comments(text.replaceAll("\r\n", "\n")));
          expect(formatPolicy(formatted)).toBe(formatted);
        }),
        { numRuns: RUNS },
      );
    },
    TIMEOUT_MS,
  );

  test(
    "keeps what a JSON document says",
    () => {
      fc.assert(
        fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (value) => {
          const text = JSON.stringify(value);
          const formatted = formatPolicy(text);
          expect(JSON.parse(formatted)).toEqual(JSON.parse(text));
          expect(formatPolicy(formatted)).toBe(formatted);
        }),
        { numRuns: RUNS },
      );
    },
    TIMEOUT_MS,
  );

  test("writes two spaces, aligned signs, blank lines around blocks, and comments where they were", () => {
    const text = `
# About apps.
name="apps" // trailing
path   "secret/data/+/x" { # inside
capabilities=["read","list"]
    min_wrapping_ttl  =  60   # seconds
  allowed_parameters={"a"=[]
  "bcd" = ["x", # the usual
  "y"]}
}
path "b" {}


path "c" { policy = "read", }
# the end`;
    expect(formatPolicy(text)).toBe(`# About apps.
name = "apps" // trailing

path "secret/data/+/x" {
  # inside
  capabilities     = ["read", "list"]
  min_wrapping_ttl = 60 # seconds

  allowed_parameters = {
    "a"   = []
    "bcd" = [
      "x", # the usual
      "y",
    ]
  }
}

path "b" {}

path "c" {
  policy = "read"
}

# the end
`);
  });

  test("leaves an empty text empty", () => {
    expect(formatPolicy(" \n\n")).toBe("");
  });
});

describe("the reader of HCL", () => {
  test(
    "throws nothing but its own error, with a place within the text, on any text",
    () => {
      const pieces = fc
        .array(
          fc.constantFrom(
            ...[
              "path",
              '"a"',
              "{",
              "}",
              "[",
              "]",
              "=",
              ",",
              ":",
              "<<E\n",
              "<<-E\n",
              "E\n",
              "\n",
              " ",
              "\\",
              '"',
            ],
            ...[
              "${",
              "#",
              "/*",
              "*/",
              "//",
              "1",
              "-",
              "0x",
              "true",
              "null",
              "capabilities",
              "\0",
              "\ud800",
              "é",
            ],
          ),
          { maxLength: 30 },
        )
        .map((parts) => parts.join(""));
      fc.assert(
        fc.property(fc.oneof(pieces, BODY, fc.string(), fc.string({ unit: "binary" })), (text) => {
          for (const parse of [parseHcl, parsePolicy, formatPolicy]) {
            const result = outcome(() => parse(text));
            if (result === "read") continue;
            const lines = text.split("\n");
            expect(result.line).toBeWithin(1, lines.length + 1);
            expect(result.column).toBeWithin(1, (lines[result.line - 1] ?? "").length + 2);
          }
        }),
        { numRuns: RUNS },
      );
    },
    TIMEOUT_MS,
  );

  test.each([
    ["a = ", 1, 5, "expected a value, got the end of the text"],
    ["a", 1, 2, 'expected "=" or "{", got the end of the text'],
    ['\n  a = "x', 2, 7, "string not terminated"],
    ['a = "x\\q"', 1, 7, 'unknown escape "\\\\q"'],
    ["a = [1 2]", 1, 8, 'expected "," or "]", got "2"'],
    ["a = b", 1, 5, 'expected a value, got "b"'],
    ['a "b" = 1', 1, 7, 'expected "{", got "="'],
    ["a = <<EOF\nx", 1, 5, 'heredoc not terminated: no line is "EOF"'],
    ["a = <<EOF x\nEOF", 1, 5, "a heredoc is << or <<-, a mark, and a new line"],
    ["/* x", 1, 1, "comment not terminated"],
    ["a = 1 }", 1, 7, 'expected a key, got "}"'],
    ["\r\n\r\n ?", 3, 2, 'unexpected character "?"'],
    ["a = 1e999", 1, 5, 'number "1e999" is too large'],
    ['{"a": [1,]}', 1, 10, 'expected a value, got "]"'],
    ['{\n"a" 1}', 2, 5, 'expected ":", got "1"'],
    ['{"a": 1} x', 1, 10, 'expected the end of the text, got "x"'],
    ['{"a": "\\x"}', 1, 7, "malformed string"],
    ['{\n "b": tru}', 2, 7, 'expected a value, got "t"'],
  ])("refuses %j at line %d, column %d", (text, line, column, reason) => {
    const error = outcome(() => parseHcl(text));
    expect(error).toMatchObject({ line, column, reason });
  });

  test("reads strings with escapes, heredocs with and without indentation, and numbers", () => {
    const text = String.raw`a = "q\"\\\n\t\x41\u00e9\U0001F600\101"
b = "x${"${"}f("a")}y"
c = <<EOF
  one
 two
EOF
d = <<-EOF
    one
      two
    EOF
e = <<-EOF
  one
    EOF
f = [0x10, 010, -1.5, 1e3, true]
`;
    const found = elementsOf(parseHcl(text).entries).map(({ value }) => meaningOf(value));
    expect(found).toEqual([
      'q"\\\n\tAé😀A',
      `x${"${"}f("a")}y`,
      "  one\n two\n",
      "one\n  two\n",
      "  one\n",
      { list: [16, 8, -1.5, 1000, true] },
    ]);
  });

  test.each([
    ["brackets", "a = ", "[", "]"],
    ["braces", "", "a {", "}"],
    ["JSON brackets", '{"a":', "[", "]}"],
  ])("refuses %s that nest without end, without ending the process", (_name, start, open, close) => {
    const deep = outcome(() => parseHcl(start + open.repeat(200_000) + close.repeat(200_000)));
    expect(deep).toMatchObject({ reason: "nested deeper than 32 levels" });
    const shallow = outcome(() => parseHcl(start + open.repeat(31) + close.repeat(31)));
    expect(String(shallow)).not.toContain("nested deeper");
  });

  test("refuses a text that is too long before it reads it", () => {
    expect(outcome(() => parseHcl("#".repeat(4 * 1024 * 1024 + 1)))).toBeInstanceOf(HclError);
  });
});
