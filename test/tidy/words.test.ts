import { describe, expect, test } from "bun:test";
import { codeLines, filesBelow, read } from "./sources.ts";

interface BannedWord {
  readonly word: RegExp;
  readonly instead: string;
  /** Places below `src/` where it is at home. */
  readonly exceptIn?: readonly string[];
}

const BANNED: readonly BannedWord[] = [
  { word: /\bconsole\./, instead: "the streams of the command's context, or the Log port" },
  { word: /\bprocess\.exit\(/, instead: "return the exit code; the one exit sets process.exitCode" },
  { word: /\bnew Error\(|\bthrow ["'`]/, instead: "VsecError, ApiError or DatabaseError, which have codes" },
  { word: /\bas any\b/, instead: "unknown and a check" },
  { word: /@ts-(?:ignore|nocheck|expect-error)/, instead: "a type that is true" },
  { word: /\bBun\.|["']bun(?::[a-z]+)?["']/, instead: "node:* modules", exceptIn: ["platform/"] },
  { word: /\bDate\.now\(|\bnew Date\(\)/, instead: "the Clock port", exceptIn: ["platform/"] },
  {
    word: /\bMath\.random\(|\brandomBytes\(|\brandomUUID\(/,
    instead: "the Random port",
    exceptIn: ["platform/"],
  },
  { word: /(?<![.\w])exec(?:Sync)?\(|\bshell: true/, instead: "execFile, which no shell reads" },
];

/** Spelled apart, so that this file may stand in the search. */
const UNFINISHED = new RegExp(
  ["TO" + "DO", "FIX" + "ME", "X" + "XX"].map((word) => `\\b${word}\\b`).join("|"),
);
const FILE_LINES_MAX = 400;

/** The arguments of calls that start a process, up to the options: what every user of the machine can read. */
const STARTS = /\b(?:spawn|spawnSync|execFile|execFileSync|fork)\(([^{;]*)/g;
const SECRET_NAME = /passw|passphrase|secret|token|\b(?:root|unseal|private)_?key\b/i;

function bannedIn(file: string, text: string): readonly string[] {
  return BANNED.filter(({ exceptIn = [] }) => !exceptIn.some((place) => file.startsWith(place))).flatMap(
    (rule) =>
      codeLines(text).flatMap((line, index) =>
        rule.word.test(line) ? [`${file}:${index + 1}: ${line.trim()} (use ${rule.instead})`] : [],
      ),
  );
}

function secretArguments(text: string): readonly string[] {
  return [...codeLines(text).join("\n").matchAll(STARTS)]
    .map(([, args = ""]) => args)
    .filter((it) => SECRET_NAME.test(it));
}

const SOURCES = filesBelow("src").map((file) => ({ file, text: read(`src/${file}`) }));
const EVERYTHING = ["src", "scripts", "test"].flatMap((folder) =>
  filesBelow(folder).map((file) => `${folder}/${file}`),
);

describe("the sources", () => {
  test("use none of the banned words", () => {
    expect(SOURCES.flatMap(({ file, text }) => bannedIn(file, text))).toEqual([]);
  });

  test("leave nothing marked as unfinished", () => {
    expect(EVERYTHING.filter((file) => UNFINISHED.test(read(file)))).toEqual([]);
  });

  test(`have at most ${FILE_LINES_MAX} lines a file`, () => {
    const long = SOURCES.map(({ file, text }) => ({ file, lines: text.split("\n").length - 1 }));
    expect(long.filter(({ lines }) => lines > FILE_LINES_MAX)).toEqual([]);
  });

  test("put nothing secret into another program's arguments", () => {
    const found = SOURCES.map(({ file, text }) => ({ file, calls: secretArguments(text) }));
    expect(found.filter(({ calls }) => calls.length > 0)).toEqual([]);
  });

  test("are named in kebab-case, and for what they hold", () => {
    const vague = /(?:^|\/)(?:utils?|helpers?|common|misc)(?:\/|\.ts$)/;
    const wrong = EVERYTHING.filter((file) => vague.test(file) || !/^[a-z0-9./-]+$/.test(file));
    expect(wrong).toEqual([]);
  });
});

describe("the word checks themselves", () => {
  test.each([
    'console.log("x");',
    "process.exit(1);",
    'throw new Error("x");',
    "const x = y as any;",
    "const at = Date.now();",
    'import { Database } from "bun:sqlite";',
    "Bun.serve({});",
    "execSync(`ls`);",
  ])("%s is found", (line) => {
    expect(bannedIn("core/x.ts", line)).toHaveLength(1);
  });

  test("a word that is at home is no finding, nor is one in a comment", () => {
    expect(bannedIn("platform/clock.ts", "return Date.now();")).toEqual([]);
    expect(bannedIn("core/x.ts", "// console.log would be wrong here")).toEqual([]);
    expect(bannedIn("storage/sqlite/x.ts", 'database.exec("COMMIT");')).toEqual([]);
  });

  test("a password among the arguments is found, one in the environment is not", () => {
    expect(secretArguments('spawn("psql", ["-W", password], { env })')).toHaveLength(1);
    expect(secretArguments('spawn("psql", args, { env: { PGPASSWORD: password } })')).toEqual([]);
  });
});
