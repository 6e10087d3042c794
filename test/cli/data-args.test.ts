import { describe, expect, test } from "bun:test";
import { parseDataArguments } from "../../src/cli/data-args.ts";

const FILES: Readonly<Record<string, string>> = {
  "/run/secret": "s3cret\n",
  "proto.json": '{"__proto__": {"x": 1}, "y": 2}',
  "data.json": '{"n": 1, "list": [true], "a": "from file"}',
  "list.json": "[1]",
  "bad.json": "{",
};

function parse(args: readonly string[], stdin = "", interactive = true) {
  return parseDataArguments(args, {
    stdin: { isTTY: false, readAll: () => Promise.resolve(stdin) },
    readFile: (path) =>
      FILES[path] === undefined
        ? Promise.reject(new SyntaxError(`open ${path}: no such file or directory`))
        : Promise.resolve(FILES[path]),
    interactive,
  });
}

describe("data arguments", () => {
  const good: [string, string[], string, object][] = [
    ["a pair is a string", ["a=1"], "", { a: "1" }],
    ["the first = splits", ["a=b=c"], "", { a: "b=c" }],
    ["a value may be empty", ["a="], "", { a: "" }],
    ["a file's bytes are kept with their newline", ["a=@/run/secret"], "", { a: "s3cret\n" }],
    ["standard input is kept untrimmed", ["a=-"], " x\n", { a: " x\n" }],
    ["an escaped @ is literal", ["a=\\@x"], "", { a: "@x" }],
    ["a backslash elsewhere stays", ["a=x\\@y"], "", { a: "x\\@y" }],
    ["a JSON file is merged with its types", ["@data.json"], "", { n: 1, list: [true], a: "from file" }],
    ["JSON on standard input is merged", ["b=1", "-"], '{"b": 2}', { b: 2 }],
    [
      "a later pair joins what JSON brought",
      ["@data.json", "n=2"],
      "",
      { n: [1, "2"], list: [true], a: "from file" },
    ],
    ["a repeated key is a list in order", ["a=1", "a=2", "a=3"], "", { a: ["1", "2", "3"] }],
    ["an empty argument is nothing", ["", "a=1"], "", { a: "1" }],
    ["an empty key is a key", ["=x"], "", { "": "x" }],
  ];
  test.each(good)("%s", async (_name, args, stdin, expected) => {
    expect(await parse(args, stdin)).toEqual(expected as never);
  });

  test("standard input is empty when nothing may be asked", async () => {
    expect(await parse(["a=-"], "typed", false)).toEqual({ a: "" });
  });

  const bad: [string[], string][] = [
    [["@proto.json"], 'invalid key/value pair "@proto.json": json: "__proto__" cannot be a key'],
    [["foo"], 'invalid key/value pair "foo": format must be key=value'],
    [["a=-", "b=-"], 'invalid key/value pair "b=-": stdin already consumed'],
    [["-", "a=-"], 'invalid key/value pair "a=-": stdin already consumed'],
    [
      ["a=@nope"],
      'invalid key/value pair "a=@nope": error reading file: open nope: no such file or directory',
    ],
    [["@nope"], 'invalid key/value pair "@nope": open nope: no such file or directory'],
    [["@~/x"], 'invalid key/value pair "@~/x": open ~/x: no such file or directory'],
    [["@list.json"], 'invalid key/value pair "@list.json": json: the document is not an object'],
  ];
  test.each(bad)("%j is refused", async (args, why) => {
    const failure = expect.objectContaining({ message: `Failed to parse K=V data: ${why}`, exitCode: 1 });
    await expect(parse(args, "{}")).rejects.toEqual(failure);
  });

  test("malformed JSON is refused without showing its content", async () => {
    const why = 'invalid key/value pair "-": json: the document cannot be parsed';
    const failure = expect.objectContaining({ message: `Failed to parse K=V data: ${why}` });
    await expect(parse(["-"], "hunter2")).rejects.toEqual(failure);
    await expect(parse(["-"], '{"password": hunter2}')).rejects.toEqual(failure);
  });
});
