import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  fillStatement,
  isBlock,
  splitStatement,
  splitStatements,
} from "../../../../src/engines/database/statements.ts";

const BLOCK = "DO $$ BEGIN PERFORM 1; END $$";

describe("splitting statements", () => {
  test.each([
    ["two statements in one element", "CREATE ROLE a; GRANT b TO c", ["CREATE ROLE a", "GRANT b TO c"]],
    ["a JSON array's elements are not split further", '["A; B","C"]', ["A; B", "C"]],
    ["a JSON array that is not of strings is plain text", '["A",1]', ['["A",1]']],
    ["quotes do not protect a semicolon", "SELECT 'a;b'", ["SELECT 'a", "b'"]],
    ["empty pieces are dropped", " ;; A ; ", ["A"]],
    ["nothing", "  ", []],
    ["base64 is decoded", Buffer.from("A 1; B 2").toString("base64"), ["A 1", "B 2"]],
    ["base64 of a JSON array is decoded and parsed", Buffer.from('["A; B"]').toString("base64"), ["A; B"]],
    ["base64 without its padding is plain text", "QSAxOyBCIDI", ["QSAxOyBCIDI"]],
  ])("%s", (_, element, queries) => {
    expect(splitStatement(element)).toEqual(queries);
  });

  test("an element with a block is one query where blocks are kept", () => {
    expect(splitStatements([`${BLOCK};`, "A; B"], { keepBlocks: true })).toEqual([`${BLOCK};`, "A", "B"]);
    expect(splitStatements([`${BLOCK};`])).toEqual(["DO $$ BEGIN PERFORM 1", "END $$"]);
  });

  test("a block in lower case is split, which breaks it", () => {
    const queries = splitStatements(["do $$ begin perform 1; end $$;"], { keepBlocks: true });
    expect(queries).toEqual(["do $$ begin perform 1", "end $$"]);
  });

  test("a block in base64 is not seen as one: it is decoded and split", () => {
    const queries = splitStatements(["RE8gJCQgQkVHSU4gUEVSRk9STSAxOyBFTkQgJCQ="], { keepBlocks: true });
    expect(queries).toEqual(["DO $$ BEGIN PERFORM 1", "END $$"]);
  });

  test("a block that is the one string of a JSON array is quoted text there, and so comes out whole", () => {
    const element = JSON.stringify([BLOCK]);
    expect(splitStatements([element], { keepBlocks: true })).toEqual([BLOCK]);
  });

  test.each([
    ["END as a word", "x END y", true],
    ["END within a word", "SELECT 1 AS BACKEND; SELECT 2 AS ENDED", false],
    ["END in quotes", "SELECT 'END'; SELECT 1", false],
    ["only the quoted text found last is left out", "SELECT 'END'; SELECT 'a'", true],
    ["double quotes are looked for before single ones", `SELECT "END"; SELECT 'a'`, true],
  ])("a block is recognised: %s", (_, element, expected) => {
    expect(isBlock(element)).toBe(expected);
  });
});

describe("filling statements", () => {
  test("known keys are replaced as plain text, unknown ones stay", () => {
    const values = { name: 'a"b', password: "$& $1" };
    expect(fillStatement(`"{{name}}" '{{password}}' {{other}} {{name}}`, values)).toBe(
      `"a"b" '$& $1' {{other}} a"b`,
    );
  });

  test("a value that looks like a key is not looked at again", () => {
    expect(fillStatement("{{name}}", { name: "{{password}}", password: "secret" })).toBe("{{password}}");
  });

  test("names that every object has are not keys", () => {
    expect(fillStatement("{{constructor}} {{__proto__}}", {})).toBe("{{constructor}} {{__proto__}}");
  });

  test("what has no semicolon and no special form comes back trimmed", () => {
    const plain = fc.string().filter((text) => /^[^;[]* [^;[]*$/.test(text) && text.trim().includes(" "));
    fc.assert(fc.property(plain, (text) => expect(splitStatement(text)).toEqual([text.trim()])));
  });
});
