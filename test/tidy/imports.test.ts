import { describe, expect, test } from "bun:test";
import { isAllowed } from "./arrows.ts";
import { filesBelow, findCycle, type Import, importsOf, reachable, specifiersOf } from "./sources.ts";

const FILES = filesBelow("src");
const IMPORTS = FILES.flatMap(importsOf);

/** What costs a start something. Only what uses it loads it. */
const HEAVY = [
  "pg",
  "mysql2",
  "@aws-sdk/client-iam",
  "@aws-sdk/client-sts",
  "node-forge",
  "@redis/client",
  "mongodb",
  "mssql",
  "tedious",
  "oracledb",
  "cassandra-driver",
  "yaml",
  "node:sqlite",
  "node:http",
];

/** What costs a command a millisecond or more, and most commands never use. */
const COSTLY_ON_THE_WAY = [
  "node:child_process",
  "node:fs/promises",
  "node:http",
  "node:https",
  "node:stream",
  "node:tls",
];

/** What only tests load, with the reason. */
const TEST_ONLY: Readonly<Record<string, string>> = {};

function edge(from: string, to: string, kind: Import["kind"] = "static"): Import {
  return { from, to, kind, isOwn: true };
}

function show(edges: readonly Import[]): readonly string[] {
  return edges.map(({ from, to, kind }) => `${from} -> ${to} (${kind})`);
}

describe("imports", () => {
  test("every import follows the table of arrows", () => {
    expect(show(IMPORTS.filter((it) => !isAllowed(it)))).toEqual([]);
  });

  test("every import of our own names a file that is there", () => {
    const files = new Set(FILES);
    expect(show(IMPORTS.filter((it) => it.isOwn && !files.has(it.to)))).toEqual([]);
  });

  test("no files load each other in a circle", () => {
    expect(findCycle(IMPORTS)).toBeUndefined();
  });

  test("every file is reached from the program's entry", () => {
    const alive = reachable("main.ts", IMPORTS);
    const dead = FILES.filter((file) => !alive.has(file));
    const isTestOnly = (file: string): boolean =>
      Object.keys(TEST_ONLY).some((place) => file.startsWith(place));
    expect(dead.filter((file) => !isTestOnly(file))).toEqual([]);
    // An exception that nothing needs any more is taken off the list.
    const unneeded = Object.keys(TEST_ONLY).filter((place) => !dead.some((file) => file.startsWith(place)));
    expect(unneeded).toEqual([]);
  });

  /** A file, and all that is loaded with it. */
  function loadedBy(file: string): ReadonlySet<string> {
    return reachable(
      file,
      IMPORTS.filter((it) => it.kind === "static"),
    );
  }

  test("starting loads no driver, no store and no server", () => {
    const atStart = loadedBy("main.ts");
    const heavy = IMPORTS.filter(
      (it) => atStart.has(it.from) && it.kind === "static" && HEAVY.includes(it.to),
    );
    expect(show(heavy)).toEqual([]);
  });

  test("a credential is issued without loading what starts programs, encrypts connections or speaks HTTP", () => {
    const onTheWay = [
      "cli/commands/data/read.ts",
      "client/local.ts",
      "compose.ts",
      "core/leases/owner.ts",
      "engines/database/backend.ts",
      "engines/database/plugins/postgresql/plugin.ts",
    ];
    const loaded = new Set(["main.ts", "cli/process.ts", ...onTheWay].flatMap((file) => [...loadedBy(file)]));
    const costly = IMPORTS.filter(
      (it) => loaded.has(it.from) && it.kind === "static" && COSTLY_ON_THE_WAY.includes(it.to),
    );
    expect(show(costly)).toEqual([]);
  });

  test("the daemon enters the command line in one place", () => {
    const doors = IMPORTS.filter((it) => it.from.startsWith("cli/") && it.to.startsWith("daemon/"));
    expect([...new Set(doors.map((it) => it.from))].length).toBeLessThanOrEqual(1);
  });
});

describe("the import checks themselves", () => {
  test.each([
    ["an engine importing another", edge("engines/pki/roles.ts", "engines/database/plugin.ts")],
    [
      "an engine importing the core, if only a type",
      edge("engines/pki/roles.ts", "core/services.ts", "type"),
    ],
    ["an adapter importing its sibling", edge("storage/sqlite/open.ts", "storage/postgres/open.ts")],
    ["the port importing an adapter", edge("storage/port.ts", "storage/sqlite/open.ts", "type")],
    ["the core importing an adapter", edge("core/services.ts", "storage/sqlite/open.ts")],
    ["the core importing an engine lazily", edge("core/services.ts", "engines/pki/roles.ts", "dynamic")],
    ["the base importing anything", edge("base/log.ts", "contract/wire.ts", "type")],
    ["a command importing the core", edge("cli/commands/read.ts", "core/services.ts")],
    ["a command importing the daemon at start", edge("cli/commands/daemon.ts", "daemon/run.ts")],
    ["the client importing the composition at start", edge("client/local.ts", "compose.ts")],
    ["a list of engines loading them all", edge("engines/table.ts", "engines/pki/roles.ts")],
    ["a file in a folder that no row names", edge("helpers/x.ts", "core/services.ts")],
  ])("%s is refused", (_, wrong) => {
    expect(isAllowed(wrong)).toBe(false);
  });

  test.each([
    ["the base", edge("engines/pki/roles.ts", "base/log.ts")],
    ["its own folder", edge("engines/pki/roles.ts", "engines/pki/issue/sign.ts")],
    ["the port of an adapter", edge("storage/sqlite/open.ts", "storage/port.ts", "type")],
    ["what all adapters share", edge("storage/sqlite/open.ts", "storage/limits.ts")],
    ["the daemon, when it is asked for", edge("cli/commands/daemon.ts", "daemon/run.ts", "dynamic")],
  ])("%s is accepted", (_, right) => {
    expect(isAllowed(right)).toBe(true);
  });

  test("every form of an import is seen, with its kind", () => {
    const source = [
      'import { a } from "./a.ts";',
      'import {\n  b,\n} from "./b.ts";',
      'import "./c.ts";',
      'export * from "./d.ts";',
      'import type { E } from "./e.ts";',
      'export type { F } from "./f.ts";',
      'type G = import("./g.ts").G;',
      'const h = await import("./h.ts");',
      'const i = require("./i.ts") as typeof import("./i.ts");',
      '// import { j } from "./j.ts";',
      'a(b, h, i, import("./a.ts"));',
    ].join("\n");
    expect(Object.fromEntries(specifiersOf(source))).toEqual({
      "./a.ts": "static",
      "./b.ts": "static",
      "./c.ts": "static",
      "./d.ts": "static",
      "./e.ts": "type",
      "./f.ts": "type",
      "./g.ts": "type",
      "./h.ts": "dynamic",
      "./i.ts": "dynamic",
    });
  });

  test("a circle is found, and a circle of types alone is none", () => {
    const circle = [edge("a.ts", "b.ts"), edge("b.ts", "c.ts", "dynamic"), edge("c.ts", "a.ts")];
    expect(findCycle(circle)).toEqual(["a.ts", "b.ts", "c.ts", "a.ts"]);
    expect(findCycle([edge("a.ts", "b.ts"), edge("b.ts", "a.ts", "type")])).toBeUndefined();
  });

  test("a file that nothing imports is not reachable", () => {
    expect([...reachable("main.ts", [edge("main.ts", "a.ts"), edge("b.ts", "a.ts")])]).toEqual([
      "main.ts",
      "a.ts",
    ]);
  });
});
