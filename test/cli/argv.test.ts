import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { asksForHelp, normaliseArguments } from "../../src/cli/argv.ts";
import type { AnyCommand } from "../../src/cli/command.ts";
import type { Flags } from "../../src/cli/flags.ts";
import { answer } from "../../src/cli/outcome.ts";
import { parseLine } from "../../src/cli/parse-line.ts";

const FLAGS: Flags = {
  field: { kind: "string", text: "" },
  force: { kind: "bool", text: "", aliases: ["f"] },
  prefix: { kind: "bool", text: "", attachedArgument: true },
  ttl: { kind: "duration", text: "" },
  version: { kind: "int", text: "" },
  policy: { kind: "list", text: "" },
  options: { kind: "map", text: "" },
  trim: { kind: "optional-bool", text: "" },
  renewable: { kind: "bool", text: "", default: true },
  "no-store": { kind: "bool", text: "" },
};

const command: AnyCommand = {
  usage: "",
  description: "",
  flags: FLAGS,
  output: {},
  requests: false,
  run: () => Promise.resolve(answer()),
};
const parse = (...args: string[]) => parseLine(command, args);

const UNSET = {
  field: undefined,
  force: false,
  prefix: false,
  ttl: undefined,
  version: undefined,
  policy: [],
  options: {},
  trim: undefined,
  renewable: true,
  "no-store": false,
};

describe("the flag grammar accepts", () => {
  const table: [string, string[], Record<string, unknown>, string[]][] = [
    ["no flags at all", ["a", "b"], {}, ["a", "b"]],
    ["one dash with an attached value", ["-field=x", "p"], { field: "x" }, ["p"]],
    ["one dash with a separate value", ["-field", "x", "p"], { field: "x" }, ["p"]],
    ["two dashes", ["--field=x", "p"], { field: "x" }, ["p"]],
    ["a flag after the arguments", ["p", "-field", "x"], { field: "x" }, ["p"]],
    ["flags between arguments", ["a", "-force", "b"], { force: true }, ["a", "b"]],
    ["an empty value", ["-field="], { field: "" }, []],
    ["a value with an equals sign", ["-field=a=b"], { field: "a=b" }, []],
    ["a separate value that looks like a flag", ["-field", "-x"], { field: "-x" }, []],
    ["a boolean alone, never with the next word", ["-force", "true"], { force: true }, ["true"]],
    ["a boolean that is switched off", ["-force", "-force=F"], { force: false }, []],
    ["a default that is switched off", ["-renewable=false"], { renewable: false }, []],
    ["another name of a flag", ["-f"], { force: true }, []],
    ["an unset and a set third state", ["-trim=0"], { trim: false }, []],
    ["the end of flags", ["--", "-force"], {}, ["-force"]],
    ["a lone dash as an argument", ["-"], {}, ["-"]],
    ["an empty argument", [""], {}, [""]],
    ["the last of repeated values", ["-field=a", "-field=b"], { field: "b" }, []],
    ["repeated list flags, trimmed", ["-policy=a", "-policy", " b,c "], { policy: ["a", "b,c"] }, []],
    ["map flags", ["-options=a=1", "-options=b=x=y"], { options: { a: "1", b: "x=y" } }, []],
    ["seconds", ["-ttl=30"], { ttl: 30 }, []],
    ["days", ["-ttl=7d"], { ttl: 604800 }, []],
    ["combined units", ["-ttl=1h30m"], { ttl: 5400 }, []],
    ["the system's default", ["-ttl=system"], { ttl: -1 }, []],
    ["an integer", ["-version=2"], { version: 2 }, []],
    ["a name that begins with no-", ["-no-store"], { "no-store": true }, []],
    ["a path attached to a flag that is a boolean", ["-prefix=a/b"], { prefix: true }, ["a/b"]],
    ["the same flag as Vault writes it", ["-prefix", "a/b"], { prefix: true }, ["a/b"]],
    ["a boolean word for it all the same", ["-prefix=true", "a"], { prefix: true }, ["a"]],
  ];
  test.each(table)("%s", (_name, args, values, positionals) => {
    expect(parse(...args)).toEqual({ values: { ...UNSET, ...values }, args: positionals });
  });

  test("a __proto__ key in a map is a key like others", () => {
    const { options } = parse("-options=__proto__=x").values as { options: object };
    expect(Object.getPrototypeOf(options)).toBe(Object.prototype);
    expect(Object.keys(options)).toEqual(["__proto__"]);
  });
});

describe("the flag grammar refuses, with Go's texts,", () => {
  const table: [string, string[], string][] = [
    ["an unknown flag", ["-foo"], "flag provided but not defined: -foo"],
    [
      "a mistyped flag",
      ["-optoins=a=b"],
      'flag provided but not defined: -optoins\n\nDid you mean "-options"?',
    ],
    ["an unknown flag with two dashes", ["--foo=1"], "flag provided but not defined: -foo"],
    ["an unknown flag after the arguments", ["p", "-foo"], "flag provided but not defined: -foo"],
    ["a missing value", ["p", "-field"], "flag needs an argument: -field"],
    ["three dashes", ["---x"], "bad flag syntax: ---x"],
    ["a missing name", ["-=x"], "bad flag syntax: -=x"],
    [
      "a bad boolean",
      ["-force=x"],
      'invalid boolean value "x" for -force: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    ["a bad duration", ["-ttl=x"], 'invalid value "x" for flag -ttl: time: invalid duration "x"'],
    [
      "a bad integer",
      ["-version=1.5"],
      'invalid value "1.5" for flag -version: strconv.ParseInt: parsing "1.5": invalid syntax',
    ],
    [
      "a map entry without =",
      ["-options=x"],
      'invalid value "x" for flag -options: missing = in KV pair: "x"',
    ],
    ["a name from the prototype", ["-constructor=1"], "flag provided but not defined: -constructor"],
  ];
  test.each(table)("%s", (_name, args, message) => {
    expect(() => parse(...args)).toThrow(expect.objectContaining({ message, exitCode: 1 }) as Error);
  });
});

test("help is asked for anywhere before the end of flags, and not after it", () => {
  expect(asksForHelp(["p", "-h"])).toBe(true);
  expect(asksForHelp(["--help"])).toBe(true);
  expect(asksForHelp(["--", "-h"])).toBe(false);
  expect(asksForHelp(["-host"])).toBe(false);
});

test("whatever stands after -- is an argument, unchanged and in order", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      expect(normaliseArguments(["--", ...words], FLAGS)).toEqual({ flags: [], positionals: words });
    }),
  );
});

test("any value reaches a string flag unchanged, attached or separate", () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      expect(parse(`-field=${value}`).values.field).toBe(value);
      expect(parse("-field", value).values.field).toBe(value);
    }),
  );
});
