/**
 * What the plugin for Microsoft SQL Server says on the wire. The server cannot be had from a package registry: these tests hold the
 * statements, their order and the driver's use against the documentation, and not against a real server.
 */

import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { DatabasePlugin } from "../../../../src/engines/database/plugin.ts";
import { mssql } from "../../../../src/engines/database/plugins/mssql/plugin.ts";
import { mssqlSettings } from "../../../../src/engines/database/plugins/mssql/settings.ts";
import { CertificateAuthority } from "../../../servers/certificates.ts";
import { temporaryDirectory } from "../../../servers/process.ts";
import { context, doomed, failureOf } from "../plugin-context.ts";
import { Recorder, type Rule, refused } from "../recorder.ts";
import { startTdsStub, type TdsStub } from "./tds-stub.ts";

setDefaultTimeout(30_000);
const PASSWORD = "s3cret;pass'word";
const HOME: Rule = [/DB_NAME/, [{ name: "master" }]];
const CREATE = `CREATE LOGIN [{{name}}] WITH PASSWORD = '{{password}}'; CREATE USER [{{name}}] FOR LOGIN [{{name}}]`;

describe("the wire of the plugin for Microsoft SQL Server", () => {
  let stub: TdsStub | undefined;
  let plugin: DatabasePlugin | undefined;
  afterEach(async () => {
    await plugin?.close();
    stub?.stop();
  });

  /** A plugin on a stub with these rules. */
  async function on(
    rules: readonly Rule[],
    more = {},
    password = PASSWORD,
  ): Promise<[DatabasePlugin, Recorder]> {
    const recorder = new Recorder(...rules);
    stub = await startTdsStub(recorder, { password: PASSWORD });
    const url = `server=127.0.0.1;port=${stub.port};user id={{username}};password={{password}};encrypt=disable`;
    plugin = mssql.open({ connection_url: url, username: "admin", password, ...more }, context);
    return [plugin, recorder];
  }

  const user = { username: "v-u", password: "hunter2", expiresAt: 0 };
  const absent: Rule = [/server_principals/, []];

  test("a login with any character in its password works, and a wrong one is told from nobody answering", async () => {
    const [right] = await on([]);
    await right.verify();
    await right.close();
    stub?.stop();
    const [wrong] = await on([], {}, "wrong");
    expect(await failureOf(wrong.verify())).toMatchObject({
      kind: "auth",
      message: "error verifying connection: Login failed for user 'admin'.",
    });
    stub?.stop();
    expect(await failureOf(wrong.verify())).toMatchObject({ kind: "unreachable" });
  });

  test("everything is encrypted unless the URL says otherwise, and the certificate verified when it says so", async () => {
    const directory = temporaryDirectory("vsec-tds-");
    const authority = new CertificateAuthority(directory.path);
    const tls = authority.issue("localhost", "DNS:localhost");
    stub = await startTdsStub(new Recorder(), { password: PASSWORD, tls });
    const open = (encrypt: string) => {
      const url = `sqlserver://{{username}}:{{password}}@localhost:${stub?.port}?${encrypt}`;
      return mssql.open({ connection_url: url, username: "admin", password: PASSWORD }, context);
    };
    for (const encrypt of [
      "",
      "encrypt=false",
      "encrypt=true&TrustServerCertificate=true",
      `encrypt=true&certificate=${authority.certFile}`,
    ]) {
      plugin = open(encrypt);
      await plugin.verify();
      await plugin.close();
    }
    plugin = open("encrypt=true");
    expect(await failureOf(plugin.verify())).toMatchObject({ kind: "unreachable" });
    directory.remove();
  });

  test("a creation is one transaction, which comes home to its database", async () => {
    const [it, { said }] = await on([HOME]);
    await it.newUser({ ...user, creationStatements: [CREATE, "SELECT '{{username}} {{expiration}}'"] });
    expect(said).toEqual([
      "BEGIN",
      "SELECT DB_NAME() AS name",
      "CREATE LOGIN [v-u] WITH PASSWORD = 'hunter2'",
      "CREATE USER [v-u] FOR LOGIN [v-u]",
      "SELECT '{{username}} 1970-01-01 00:00:00+0000'",
      "USE [master]",
      "COMMIT",
    ]);
  });

  test("one that fails comes home too and is rolled back, and says which statement it was without the password", async () => {
    const [it, { said }] = await on([HOME, [/CREATE USER/, refused("no user hunter2 here", "15247")]]);
    expect(await failureOf(it.newUser({ ...user, creationStatements: [CREATE] }))).toMatchObject({
      kind: "statement",
      serverCode: "15247",
      message: "creating the user failed: statement 2 of 2: no user [password] here (error 15247)",
    });
    expect(said.slice(-2)).toEqual(["USE [master]", "ROLLBACK"]);
  });

  test("without statements nothing is said", async () => {
    const [it, { said }] = await on([]);
    expect(await failureOf(it.newUser({ ...user, creationStatements: [] }))).toMatchObject({
      status: 400,
      message: "empty creation statements",
    });
    expect(said).toEqual([]);
  });

  test("a password is changed by the plugin's own statement or by the connection's", async () => {
    const [it, { said }] = await on([HOME]);
    await it.setPassword("a]b", "it's", []);
    await it.setPassword("u", "p", ["ALTER LOGIN [{{username}}] WITH PASSWORD = '{{password}}'"]);
    expect(said.filter((text) => text.startsWith("ALTER"))).toEqual([
      "ALTER LOGIN [a]]b] WITH PASSWORD = 'it''s'",
      "ALTER LOGIN [u] WITH PASSWORD = 'p'",
    ]);
  });

  test("a login's end: disabled, sessions killed, its users and itself dropped, its absence seen", async () => {
    const login: Rule = [/server_principals/, [{ name: "v-u" }], [{ name: "v-u" }], []];
    const [it, { said }] = await on([
      login,
      [/dm_exec_sessions/, [{ session_id: 51 }, { session_id: 52 }]],
      [/KILL 52/, refused("Process ID 52 is not an active process ID.", "6106")],
      [/sys\.databases/, [{ name: "master" }, { name: "app" }]],
      [/\[app\]\.sys\.database_principals/, [{ name: "v-u" }]],
    ]);
    expect(await it.deleteUsers(doomed("v-u"))).toEqual([null]);
    const steps = said.filter((text) => !text.startsWith("SELECT"));
    expect(steps).toEqual([
      "ALTER LOGIN [v-u] DISABLE",
      "KILL 51",
      "KILL 52",
      "EXEC [app].sys.sp_executesql N'DROP USER [v-u]'",
      "DROP LOGIN [v-u]",
    ]);
    expect(said[0]).toBe('SELECT name FROM master.sys.server_principals WHERE name = @name {"name":"v-u"}');
  });

  test("a login that is gone already is a success, and its users are still looked for", async () => {
    const [it, { said }] = await on([absent, [/sys\.databases/, [{ name: "app" }]]]);
    expect(await it.deleteUsers(doomed("v-u"))).toEqual([null]);
    expect(said.filter((text) => text.startsWith("ALTER") || text.startsWith("DROP"))).toEqual([]);
    expect(said.some((text) => text.includes("[app].sys.database_principals"))).toBe(true);
  });

  test("every step is tried, and all failures are told", async () => {
    const [it, { said }] = await on([
      [/server_principals/, [{ name: "v-u" }]],
      [/DISABLE/, refused("not allowed", "15151")],
      [/^DROP LOGIN/, refused("it owns a database", "15174")],
    ]);
    expect(await it.deleteUsers(doomed("v-u"))).toMatchObject([
      {
        kind: "statement",
        message:
          'revoking "v-u": could not perform all sql statements: disabling the login: not allowed (error 15151); ' +
          "dropping the login: it owns a database (error 15174)",
      },
    ]);
    expect(said.at(-1)).toBe("DROP LOGIN [v-u]");
  });

  test("a contained database has users of its own, whose password needs statements", async () => {
    const [it, { said }] = await on([[/FROM sys\.database_principals/, [{ name: "v-u" }], []]], {
      contained_db: true,
    });
    expect(await it.deleteUsers(doomed("v-u"))).toEqual([null]);
    expect(said.filter((text) => !text.startsWith("SELECT"))).toEqual([
      "DENY CONNECT TO [v-u]",
      "DROP USER IF EXISTS [v-u]",
    ]);
    expect(await failureOf(it.setPassword("u", "p", []))).toMatchObject({ status: 400 });
  });

  test("statements of one's own all run, and the sessions are ended after them", async () => {
    const [it, { said }] = await on([
      [/server_principals/, [{ name: "v-u" }]],
      [/first/, refused("no", "1")],
      [/dm_exec_sessions/, [{ session_id: 60 }]],
    ]);
    const [outcome] = await it.deleteUsers([
      { username: "v-u", revocationStatements: ["first {{name}}; second"] },
    ]);
    expect(outcome).toMatchObject({
      kind: "statement",
      message: 'revoking "v-u": could not perform all sql statements: no (error 1)',
    });
    expect(said.filter((text) => !text.startsWith("SELECT"))).toEqual(["first v-u", "second", "KILL 60"]);
  });

  describe("the preflight", () => {
    const probe = { ...user, username: "v-p" };
    const all: Rule = [/HAS_PERMS_BY_NAME/, [{ seeing: "1", seeing_since_2022: "1", ending: "1" }]];

    test("is a transaction that is taken back, and a question about sessions", async () => {
      const [it, { said }] = await on([HOME, all]);
      expect(await it.preflight?.({ ...probe, creationStatements: [] })).toEqual([]);
      expect(said.slice(0, -1)).toEqual([
        "BEGIN",
        "SELECT DB_NAME() AS name",
        "CREATE LOGIN [v-p] WITH PASSWORD = 'hunter2'",
        "ALTER LOGIN [v-p] DISABLE",
        "DROP LOGIN [v-p]",
        "USE [master]",
        "ROLLBACK",
      ]);
      expect(said.at(-1)).toStartWith("SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE')");
    });

    test("names what is missing, with the statement that grants it", async () => {
      const [it, { said }] = await on([
        HOME,
        [/^CREATE/, refused("User does not have permission to perform this action.", "15247")],
        [/HAS_PERMS_BY_NAME/, [{ seeing: "0", seeing_since_2022: "0", ending: "0" }]],
      ]);
      const lacking = (what: string, permission: string) => ({
        what,
        words: `it does not have the permission ${permission}`,
        remedy: `GRANT ${permission} TO [admin]`,
      });
      expect(await it.preflight?.({ ...probe, creationStatements: [] })).toEqual([
        {
          what: "make a user",
          words: "User does not have permission to perform this action. (error 15247)",
          remedy: "GRANT ALTER ANY LOGIN TO [admin]",
        },
        lacking("see the sessions of users", "VIEW SERVER STATE"),
        lacking("end the sessions of users", "ALTER ANY CONNECTION"),
      ]);
      expect(said).toContain("ROLLBACK");
      expect(said).not.toContain("COMMIT");
    });

    test("knows that seeing sessions is a permission of its own since 2022", async () => {
      const [it] = await on([HOME, [/HAS_PERMS/, [{ seeing: "0", seeing_since_2022: "1", ending: "1" }]]]);
      expect(await it.preflight?.({ ...probe, creationStatements: [] })).toEqual([]);
    });

    test("tries a role's statements, without the password in what is said", async () => {
      const [it] = await on([HOME, all, [/^CREATE USER/, refused("hunter2 is not for app", "916")]]);
      expect(await it.preflight?.({ ...probe, creationStatements: [CREATE] })).toEqual([
        { what: "run creation statement 2 of 2", words: "[password] is not for app (error 916)" },
      ]);
    });

    test("of a contained database is about its users, and not about the server", async () => {
      const [it, { said }] = await on([HOME], { contained_db: true });
      expect(await it.preflight?.({ ...probe, creationStatements: [] })).toEqual([]);
      expect(said.filter((text) => !text.startsWith("SELECT"))).toEqual([
        "BEGIN",
        "CREATE USER [v-p] WITH PASSWORD = 'hunter2'",
        "DENY CONNECT TO [v-p]",
        "DROP USER [v-p]",
        "USE [master]",
        "ROLLBACK",
      ]);
    });
  });

  test("logins are listed, or the users of a contained database", async () => {
    const rows = [{ name: "app" }, { name: "v-token-app-AAAAAAAAAAAAAAAAAAAA-1700000000" }];
    for (const [more, from] of [
      [{}, "master.sys.server_principals"],
      [{ contained_db: true }, "sys.database_principals"],
    ] as const) {
      const [it, { said }] = await on([[/_principals/, rows]], more);
      expect(await it.listUsers?.()).toEqual(rows.map(({ name }) => name));
      expect(said.join()).toContain(`FROM ${from} WHERE type = 'S'`);
      await it.close();
      stub?.stop();
    }
    expect(rows.filter(({ name }) => mssql.usernameMark?.test(name)).length).toBe(1);
  });
});

describe("connection_url of Microsoft SQL Server", () => {
  const read = (connection_url: string) =>
    mssqlSettings({ connection_url, username: "ad;min", password: "p@ss:w/o{}rd;" });

  test.each([
    [
      "sqlserver://{{username}}:{{password}}@db.example:1444/inst?database=app&encrypt=true&app+name=x",
      {
        port: 1444,
        instance: "inst",
        database: "app",
        encryption: true,
        isVerified: true,
        applicationName: "x",
      },
    ],
    [
      "sqlserver://{{username}}:{{password}}@db.example",
      { port: 1433, instance: "", encryption: true, isVerified: false },
    ],
    [
      "server=db.example;user id={{username}};password={{password}};database=app;encrypt=strict",
      { port: 1433, database: "app", encryption: "strict", isVerified: true },
    ],
    [
      "Server=tcp:db.example,1500;UID={{username}};PWD={{password}};Initial Catalog=app;TrustServerCertificate=true;encrypt=true",
      { port: 1500, database: "app", encryption: true, isVerified: false },
    ],
    [
      'Data Source=db.example\\inst;user id={{username}};password="{{password}}"',
      { port: 0, instance: "inst" },
    ],
    [
      "odbc:server=db.example;uid={{username}};pwd={{{password}}};encrypt=disable",
      { port: 1433, encryption: false },
    ],
  ])("%s", (url, expected) => {
    expect(read(url)).toMatchObject({
      host: "db.example",
      username: "ad;min",
      password: "p@ss:w/o{}rd;",
      ...expected,
    });
  });

  test.each([
    ["", "connection_url cannot be empty"],
    ["user id=x", "connection_url names no server"],
    ["server=x;port=99999", "connection_url has an invalid port"],
    ["server=x;encrypt=perhaps", "connection_url has an encrypt that is none of"],
    ["server=x;connection timeout=soon", "connection timeout must be a number of seconds"],
  ])("%p is refused", (url, text) => {
    expect(() => read(url)).toThrow(text);
  });

  test("user names are Vault's", () => {
    const name = mssql.defaultUsername("token", "my-role", context.random, 1_700_000_000_000);
    expect(name).toMatch(/^v-token-my-role-[A-Za-z0-9]{20}-1700000000$/);
  });
});
