/** What is refused, where, and in which words. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { CREATE_USER, connectionUrl, initDatabase, usersOn } from "./database.ts";
import { shownAt, type Transport } from "./transport.ts";
import { type Line, World } from "./world.ts";

interface Refusal {
  readonly line: Line;
  readonly code: 1 | 2;
  /** All of standard error, as a command says it that runs in its own process. */
  readonly stderr: string;
}

const block = (prefix: string, request: string, code: number, text: string): string =>
  `${prefix}: Error making API request.\n\nURL: ${request}\nCode: ${code}. Errors:\n\n* ${text}\n`;
const one = (text: string): string => `1 error occurred:\n\t* ${text}\n\n`;

const pair = (shown: string, why: string): string =>
  `Failed to parse K=V data: invalid key/value pair "${shown}": ${why}\n`;
const API = "vsec://local/v1";

/** Refused before any request is made: exit 1. */
const HERE: readonly Refusal[] = [
  { line: "read", code: 1, stderr: "Not enough arguments (expected 1, got 0)\n" },
  { line: "write", code: 1, stderr: "Not enough arguments (expected 1, got 0)\n" },
  { line: "write database/roles/x", code: 1, stderr: "Must supply data or use -force\n" },
  { line: "list", code: 1, stderr: "Not enough arguments (expected 1, got 0)\n" },
  { line: "list a b", code: 1, stderr: "Too many arguments (expected 1, got 2)\n" },
  { line: "delete", code: 1, stderr: "Not enough arguments (expected at least 1, got 0)\n" },
  { line: "secrets list x", code: 1, stderr: "Too many arguments (expected 0, got 1)\n" },
  { line: "secrets move x", code: 1, stderr: "Not enough arguments (expected 2, got 1)\n" },
  { line: "lease lookup", code: 1, stderr: "Missing ID!\n" },
  { line: "lease lookup a b", code: 1, stderr: "Too many arguments (expected 1, got 2)\n" },
  { line: "lease renew", code: 1, stderr: "Missing ID!\n" },
  { line: "lease renew a b c", code: 1, stderr: "Too many arguments (expected 1-2, got 3)\n" },
  { line: "lease revoke -force x", code: 1, stderr: "Specifying -force requires also specifying -prefix\n" },
  { line: "read -nope x", code: 1, stderr: "flag provided but not defined: -nope\n" },
  { line: "read -field", code: 1, stderr: "flag needs an argument: -field\n" },
  { line: "read ---x y", code: 1, stderr: "bad flag syntax: ---x\n" },
  { line: "read -format=xml x", code: 1, stderr: "Invalid output format: xml\n" },
  { line: "secrets enable -field=x database", code: 1, stderr: "flag provided but not defined: -field\n" },
  { line: "write x foo", code: 1, stderr: pair("foo", "format must be key=value") },
  { line: "write x @absent", code: 1, stderr: pair("@absent", "open absent: no such file or directory") },
  {
    line: "write x a=@absent",
    code: 1,
    stderr: pair("a=@absent", "error reading file: open absent: no such file or directory"),
  },
  { line: "write x a=- b=-", code: 1, stderr: pair("b=-", "stdin already consumed") },
];

/** Refused by the API: exit 2. */
const THERE: readonly Refusal[] = [
  { line: "read nope/x", code: 2, stderr: "No value found at nope/x\n" },
  { line: "read database/roles/nope", code: 2, stderr: "No value found at database/roles/nope\n" },
  {
    line: "write nope/x a=b",
    code: 2,
    stderr: block(
      "Error writing data to nope/x",
      `PUT ${API}/nope/x`,
      404,
      'no handler for route "nope/x". route entry not found.',
    ),
  },
  {
    line: ["write", "nope/ä b%20#?", "a=b"],
    code: 2,
    stderr: block(
      "Error writing data to nope/ä b%20#?",
      `PUT ${API}/nope/%C3%A4%20b%2520%23%3F`,
      404,
      'no handler for route "nope/ä b%20#?". route entry not found.',
    ),
  },
  {
    line: "delete nope/x",
    code: 2,
    stderr: block(
      "Error deleting nope/x",
      `DELETE ${API}/nope/x`,
      404,
      'no handler for route "nope/x". route entry not found.',
    ),
  },
  {
    line: "write database/nope a=b",
    code: 2,
    stderr: block(
      "Error writing data to database/nope",
      `PUT ${API}/database/nope`,
      404,
      one("unsupported path"),
    ),
  },
  {
    line: "delete database/creds/app",
    code: 2,
    stderr: block(
      "Error deleting database/creds/app",
      `DELETE ${API}/database/creds/app`,
      405,
      one("unsupported operation"),
    ),
  },
  {
    line: "read database/creds/nope",
    code: 2,
    stderr: block(
      "Error reading database/creds/nope",
      `GET ${API}/database/creds/nope`,
      400,
      "unknown role: nope",
    ),
  },
  {
    line: "read database/creds/stranger",
    code: 2,
    stderr: block(
      "Error reading database/creds/stranger",
      `GET ${API}/database/creds/stranger`,
      500,
      one('"stranger" is not an allowed role'),
    ),
  },
  {
    line: "lease lookup nope",
    code: 2,
    stderr: block("error looking up lease id nope", `PUT ${API}/sys/leases/lookup`, 400, "invalid lease"),
  },
  {
    line: "lease renew nope",
    code: 2,
    stderr: block("Error renewing nope", `PUT ${API}/sys/leases/renew`, 400, "lease not found"),
  },
  {
    line: "secrets enable database",
    code: 2,
    stderr: block(
      "Error enabling",
      `POST ${API}/sys/mounts/database`,
      400,
      "path is already in use at database/",
    ),
  },
  {
    line: "secrets enable foo",
    code: 2,
    stderr: block(
      "Error enabling",
      `POST ${API}/sys/mounts/foo`,
      400,
      "plugin not found in the catalog: foo",
    ),
  },
  {
    line: "secrets tune nope",
    code: 2,
    stderr: block(
      "Error tuning secrets engine nope/",
      `POST ${API}/sys/mounts/nope/tune`,
      400,
      'tune of path "nope/" failed: no mount entry found',
    ),
  },
  {
    line: "secrets move nope other",
    code: 2,
    stderr: block(
      "Error moving secrets engine nope/ to other/",
      `POST ${API}/sys/remount`,
      400,
      'no matching mount at "nope/"',
    ),
  },
];

export function refusalsOver(transport: Transport): void {
  const title = `what is refused (${transport})`;
  describe.skipIf(postgresMissing(18) !== undefined)(title, () => refusals(transport));
}

function refusals(transport: Transport): void {
  const world = new World();
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    await world.reachOver(transport);
    await initDatabase(world, server);
    await world.ok(
      "write database/config/closed plugin_name=postgresql-database-plugin allowed_roles=other verify_connection=false connection_url=postgresql://127.0.0.1:1/x username=u password=-",
      { stdin: "pw" },
    );
    await world.ok("write database/roles/stranger db_name=closed creation_statements=SELECT");
  });
  afterAll(async () => {
    await server?.stop();
    await world.close();
  });

  test.each(HERE)("$line is refused before anything is asked", async ({ line, code, stderr }) => {
    expect(await world.run(line)).toEqual({ code, signal: null, stdout: "", stderr });
  });

  test.each(THERE)("$line is refused by the API", async ({ line, code, stderr }) => {
    expect(await world.run(line)).toEqual({
      code,
      signal: null,
      stdout: "",
      stderr: shownAt(world.address, stderr),
    });
  });

  test.each([
    ["no command", "", 127],
    ["an unknown command", "foo", 127],
    ["a group without a command", "lease", 1],
    ["a group with an unknown command", "lease foo", 1],
    ["a flag before the command", "-format=json read x", 1],
  ] as const)("%s shows the usage on standard error", async (_, line, code) => {
    const ended = await world.run(line);
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout: "" });
    expect(ended.stderr).toContain("Usage: vsec ");
  });

  test.each([
    ["a duration", "default_ttl=5parsecs", 'invalid duration "5parsecs"'],
    ["a negative duration", "default_ttl=-5m", ""],
  ])("a role with %s that makes no sense is refused, and not stored", async (_, given, says) => {
    const { code, stdout, stderr } = await world.run(
      `write database/roles/bad db_name=pg creation_statements=SELECT ${given}`,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toStartWith("Error writing data to database/roles/bad: Error making API request.\n");
    expect(stderr).toContain(says);
    expect((await world.run("read database/roles/bad")).code).toBe(2);
  });

  test.each([
    ["that is not JSON", "{oops"],
    ["that is no object", "[1]"],
    ["that is empty", ""],
  ])("standard input %s is refused before anything is asked", async (_, stdin) => {
    const { code, stdout, stderr } = await world.run("write database/roles/bad -", { stdin });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toStartWith('Failed to parse K=V data: invalid key/value pair "-": ');
  });

  test.each([
    ["an unknown plugin", "plugin_name=nope connection_url=postgresql://h/d"],
    ["no address", "plugin_name=postgresql-database-plugin"],
    ["an address that is none", "plugin_name=postgresql-database-plugin connection_url=ht!tp://x"],
    [
      "an address where nobody listens",
      "plugin_name=postgresql-database-plugin connection_url=postgresql://{{username}}:{{password}}@127.0.0.1:1/x username=u",
    ],
  ])("a connection with %s is refused, and not stored", async (_, given) => {
    const { code, stdout, stderr } = await world.run(`write database/config/bad ${given} password=-`, {
      stdin: "hunter2",
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Code: 400. Errors:\n\n* error creating database object: ");
    expect(stderr).not.toContain("hunter2");
    expect((await world.run("read database/config/bad")).code).toBe(2);
  });

  test("a wrong password of the administrator is not shown in the refusal", async () => {
    const plugin = "plugin_name=postgresql-database-plugin allowed_roles=*";
    const { code, stderr } = await world.run(
      `write database/config/bad ${plugin} connection_url=${connectionUrl(server)} username=${server.superuser.username} password=-`,
      { stdin: "hunter2" },
    );
    expect(code).toBe(2);
    expect(stderr).toContain("28P01");
    expect(stderr).not.toContain("hunter2");
    expect(stderr).not.toContain("line break");
  });

  test("a password of the administrator that ends with a line break is refused with the reason", async () => {
    const { username, password } = server.superuser;
    const plugin = "plugin_name=postgresql-database-plugin allowed_roles=*";
    const { code, stderr } = await world.run(
      `write database/config/bad ${plugin} connection_url=${connectionUrl(server)} username=${username} password=-`,
      { stdin: `${password}\n` },
    );
    expect(code).toBe(2);
    expect(stderr).toContain("28P01");
    expect(stderr).toContain("; the password that was given ends with a line break");
    expect(stderr).not.toContain(password);
  });

  test("statements that fail halfway leave nothing behind, and the error says where", async () => {
    const sql = `${CREATE_USER} GRANT nonesuch TO "{{name}}";`;
    await world.ok(["write", "database/roles/halfway", "db_name=pg", `creation_statements=${sql}`]);
    const ended = await world.run("read database/creds/halfway");
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(ended.stderr).toContain("Code: 500. Errors:");
    for (const part of ['role "halfway"', 'connection "pg"', "SQLSTATE 42704"])
      expect(ended.stderr).toContain(part);
    expect(ended.stderr).not.toContain("PASSWORD");
    expect((await usersOn(server)).filter((user) => user.includes("halfway"))).toEqual([]);
    expect((await world.run("list sys/leases/lookup/database/creds/halfway")).code).toBe(2);
  });

  test("a statement that echoes the password does not bring it into the error", async () => {
    const sql = `${CREATE_USER} SELECT 'secret {{password}}'::int;`;
    await world.ok(["write", "database/roles/echo", "db_name=pg", `creation_statements=${sql}`]);
    const { stderr } = await world.run("read database/creds/echo");
    expect(stderr).toContain("22P02");
    const used = server
      .log()
      .split("\n")
      .flatMap((row) => /SELECT 'secret (.+)'::int/.exec(row)?.[1] ?? []);
    expect(used.length).toBeGreaterThan(0);
    for (const password of used) expect(stderr).not.toContain(password);
  });

  test("no refusal shows where in the program it happened", async () => {
    const ended = await Promise.all([...HERE, ...THERE].map(({ line }) => world.run(line)));
    expect(ended.filter(({ stderr }) => /\n\s+at |\.ts:\d|\$bunfs/.test(stderr))).toEqual([]);
  });
}
