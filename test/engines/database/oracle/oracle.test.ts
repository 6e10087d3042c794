/**
 * The plugin for Oracle without an Oracle: the server cannot be had from a package registry. These tests hold its statements and
 * their order against the documentation, and its driver only against nobody answering.
 */

import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../../src/base/json.ts";
import { classify, connectFailure } from "../../../../src/engines/database/plugins/oracle/connection.ts";
import { OraclePlugin, oracle } from "../../../../src/engines/database/plugins/oracle/plugin.ts";
import { oracleSettings } from "../../../../src/engines/database/plugins/oracle/settings.ts";
import { context, doomed, failureOf } from "../plugin-context.ts";
import { Recorder, type Rule, refused } from "../recorder.ts";

const DETAILS = {
  connection_url: "{{username}}/{{password}}@127.0.0.1:1/XE",
  username: "system",
  password: "s3cret/@pass",
};

/** A plugin whose sessions answer by these rules. */
function on(rules: readonly Rule[], more: JsonObject = {}): [OraclePlugin, string[]] {
  const recorder = new Recorder(...rules);
  const plugin = new OraclePlugin(oracleSettings({ ...DETAILS, ...more }), {
    open: async () => ({ withSession: (work) => work(recorder), close: async () => undefined }),
    isAlive: async () => true,
    close: async () => undefined,
  });
  return [plugin, recorder.said];
}

const user = { username: "V_U", password: "hunter2", expiresAt: 0 };
const CREATE = `CREATE USER {{username}} IDENTIFIED BY "{{password}}"; GRANT CONNECT TO {{name}}`;

describe("the statements of the plugin for Oracle", () => {
  test("creation runs statement by statement", async () => {
    const [plugin, said] = on([]);
    await plugin.newUser({ ...user, creationStatements: [CREATE] });
    expect(said).toEqual(['CREATE USER V_U IDENTIFIED BY "hunter2"', "GRANT CONNECT TO V_U"]);
  });

  test("or whole, where statements are not to be cut", async () => {
    const [plugin, said] = on([], { split_statements: false });
    await plugin.newUser({ ...user, creationStatements: ["BEGIN x; y; END;"] });
    expect(said).toEqual(["BEGIN x; y; END;"]);
  });

  test("one that is refused is named, without the password", async () => {
    const [plugin] = on([[/^GRANT/, refused("ORA-01031: hunter2 has insufficient privileges", "ORA-01031")]]);
    expect(await failureOf(plugin.newUser({ ...user, creationStatements: [CREATE] }))).toMatchObject({
      kind: "statement",
      serverCode: "ORA-01031",
      message:
        "creating the user failed: statement 2 of 2: ORA-01031: [password] has insufficient privileges",
    });
  });

  test("a user's end: locked, sessions killed, rights taken, dropped, its absence seen", async () => {
    const [plugin, said] = on([
      [/all_users/, [{ USERNAME: "V_U" }], []],
      [/gv\$session/, [{ SID: 12, SERIAL: 345, INSTANCE: 1 }]],
      [/KILL SESSION/, refused("ORA-00031: session marked for kill", "ORA-00031")],
      [/REVOKE CONNECT/, refused("ORA-01951: ROLE not granted", "ORA-01951")],
    ]);
    expect(await plugin.deleteUsers(doomed("v_u"))).toEqual([null]);
    expect(said).toEqual([
      'SELECT username FROM all_users WHERE username = :name {"name":"V_U"}',
      "ALTER USER v_u ACCOUNT LOCK",
      'SELECT sid AS SID, serial# AS SERIAL, inst_id AS INSTANCE FROM gv$session WHERE username = :name {"name":"V_U"}',
      "ALTER SYSTEM KILL SESSION '12,345,@1' IMMEDIATE",
      "REVOKE CONNECT FROM v_u",
      "REVOKE CREATE SESSION FROM v_u",
      "DROP USER v_u",
      'SELECT username FROM all_users WHERE username = :name {"name":"V_U"}',
    ]);
  });

  test("sessions are left alone when the connection says so", async () => {
    const [plugin, said] = on([[/all_users/, [{ USERNAME: "V_U" }], []]], { disconnect_sessions: false });
    expect(await plugin.deleteUsers(doomed("V_U"))).toEqual([null]);
    expect(said.filter((text) => /session /i.test(text) && !text.startsWith("REVOKE"))).toEqual([]);
  });

  test("a user that is gone already is a success, also where there are statements", async () => {
    const [plugin, said] = on([[/all_users/, []]]);
    const custom = { username: "V_X", revocationStatements: ["DROP USER {{name}}"] };
    expect(await plugin.deleteUsers([...doomed("V_U"), custom])).toEqual([null, null]);
    expect(said.every((text) => text.startsWith("SELECT"))).toBe(true);
  });

  test("a drop that is refused is that user's failure, and no other's", async () => {
    const [plugin] = on([
      [/all_users/, [{ USERNAME: "V_U" }], []],
      [/^DROP/, refused("ORA-01922: CASCADE must be specified to drop 'V_U'", "ORA-01922")],
    ]);
    expect(await plugin.deleteUsers(doomed("V_U", "V_OTHER"))).toMatchObject([
      { kind: "statement", message: "revoking \"V_U\": ORA-01922: CASCADE must be specified to drop 'V_U'" },
      null,
    ]);
  });

  test("a password is changed, unless Oracle cannot write it down", async () => {
    const [plugin, said] = on([]);
    await plugin.setPassword("system", "n-ew", []);
    await plugin.setPassword("it's", "n", ['ALTER USER "{{name}}" IDENTIFIED BY "{{password}}"']);
    expect(said).toEqual(['ALTER USER system IDENTIFIED BY "n-ew"', 'ALTER USER "it\'s" IDENTIFIED BY "n"']);
    expect(await failureOf(plugin.setPassword("u", 'a"b', []))).toMatchObject({ status: 400 });
  });
});

describe("the preflight of the plugin for Oracle", () => {
  const probe = { ...user, creationStatements: [] };
  const held = (...names: string[]): Rule => [/session_privs/, names.map((name) => ({ PRIVILEGE: name }))];
  const ALL = [
    ...["CREATE USER", "ALTER USER", "DROP USER", "GRANT ANY PRIVILEGE", "GRANT ANY ROLE"],
    "ALTER SYSTEM",
  ];
  const rehearse = async (plugin: OraclePlugin) => (await plugin.trial()).rehearse(probe);

  test("asks for the privileges that are in force, and whether sessions can be seen", async () => {
    const [plugin, said] = on([held(...ALL)]);
    expect(await rehearse(plugin)).toEqual([]);
    expect(said).toEqual(["SELECT privilege FROM session_privs", expect.stringContaining("FROM gv$session")]);
  });

  test("names those that are missing, with the statement that grants each; then nobody is made", async () => {
    const [plugin] = on([
      held("CREATE USER", "ALTER USER", "GRANT ANY PRIVILEGE", "GRANT ANY ROLE"),
      [/gv\$session/, refused("ORA-00942: table or view does not exist", "ORA-00942")],
    ]);
    const problem = (what: string, words: string, grant: string) => ({
      what,
      words,
      remedy: `GRANT ${grant} TO system`,
      keepsUsers: true as const,
    });
    expect(await rehearse(plugin)).toEqual([
      problem("drop users", "it does not have the privilege DROP USER", "DROP USER"),
      problem("end the sessions of users", "it does not have the privilege ALTER SYSTEM", "ALTER SYSTEM"),
      problem(
        "see the sessions of users",
        "ORA-00942: table or view does not exist",
        "SELECT ON sys.gv_$session",
      ),
    ]);
  });

  test("has nothing to say of sessions that are left alone", async () => {
    const [plugin, said] = on([held(...ALL.slice(0, -1))], { disconnect_sessions: false });
    expect(await rehearse(plugin)).toEqual([]);
    expect(said.length).toBe(1);
  });

  test("a plain user can log in and nothing more", async () => {
    const [plugin, said] = on([]);
    const { plainUser } = await plugin.trial();
    await plugin.newUser({ ...user, creationStatements: plainUser });
    expect(said).toEqual(['CREATE USER V_U IDENTIFIED BY "hunter2"', "GRANT CREATE SESSION TO V_U"]);
  });

  test("users are listed without the server's own, and ours told by their names", async () => {
    const ours = oracle.defaultUsername("token", "my-role", context.random, 1_700_000_000_000).slice(0, 30);
    const [plugin, said] = on([[/all_users/, [{ USERNAME: "HR" }, { USERNAME: ours }]]]);
    expect(await plugin.listUsers()).toEqual(["HR", ours]);
    expect(said).toEqual(["SELECT username FROM all_users WHERE oracle_maintained = 'N'"]);
    expect([ours, "HR", "V_MANUAL"].filter((name) => oracle.usernameMark?.test(name))).toEqual([ours]);
  });
});

describe("a change of password that Oracle refuses", () => {
  const rotation = ['ALTER USER {{name}} IDENTIFIED BY "{{password}}"; GRANT x TO {{name}}'];

  test("has changed nothing where it is one statement", async () => {
    const [plugin] = on([[/^ALTER/, refused("ORA-01031: insufficient privileges", "ORA-01031")]]);
    expect(await failureOf(plugin.setPassword("u", "n", []))).toMatchObject({ kind: "statement" });
  });

  test("may have changed it where there are several: each is committed by itself", async () => {
    const [plugin] = on([[/^GRANT/, refused("ORA-01919: role does not exist", "ORA-01919")]]);
    expect(await failureOf(plugin.setPassword("u", "n", rotation))).toMatchObject({ kind: "ambiguous" });
    const [whole] = on([[/^ALTER/, refused("ORA-06550: line 1", "ORA-06550")]], { split_statements: false });
    expect(await failureOf(whole.setPassword("u", "n", rotation))).toMatchObject({ kind: "ambiguous" });
  });
});

describe("the connection details of Oracle", () => {
  test.each([
    ["{{username}}/{{password}}@db.example:1521/XE", "db.example:1521/XE"],
    ["{{username}}/{{password}}@//db.example:1521/XE", "db.example:1521/XE"],
    ["oracle://{{username}}:{{password}}@db.example:1521/XE", "db.example:1521/XE"],
    ["{{username}}/{{password}}@(DESCRIPTION=(ADDRESS=(HOST=db)))", "(DESCRIPTION=(ADDRESS=(HOST=db)))"],
  ])("%s", (connection_url, connectString) => {
    const settings = oracleSettings({ ...DETAILS, connection_url });
    expect(settings).toMatchObject({ username: "system", password: "s3cret/@pass", connectString });
  });

  test.each(["db:1521/XE", "{{username}}@db", "{{username}}/{{password}}@"])(
    "%s is refused",
    (connection_url) => {
      expect(() => oracleSettings({ ...DETAILS, connection_url })).toThrow("connection_url must be");
    },
  );

  test("user names are Vault's", () => {
    const name = oracle.defaultUsername("token", "my-role.x", context.random, 1_700_000_000_000);
    expect(name).toMatch(/^V_TOKEN_MY_ROLE__[A-Z0-9]{20}_1700000000$/);
    expect(oracle.usernameBytesMax).toBe(30);
  });
});

describe("the driver of Oracle", () => {
  test.each([
    ["ORA-01017: invalid username/password", "auth"],
    ["ORA-28000: the account is locked", "auth"],
    ["ORA-12541: no listener", "unreachable"],
    ["NJS-503: connection to host 127.0.0.1 port 1 could not be established", "unreachable"],
  ])("%s is %s", (message, kind) => {
    expect(connectFailure(new Error(`${message}\nHelp: https://x`))).toMatchObject({ kind, message });
  });

  test("a lost session is told from a refused statement", () => {
    expect(classify(new Error("ORA-03113: end-of-file on communication channel"))).toMatchObject({
      name: "ConnectionLost",
    });
    expect(classify(new Error("ORA-00942: table or view does not exist"))).toMatchObject({
      serverCode: "ORA-00942",
    });
  });

  test("nobody answering is met, and the password is not in it", async () => {
    const plugin = oracle.open(DETAILS, context);
    const error = await failureOf(plugin.verify());
    expect(error).toMatchObject({ kind: "unreachable" });
    expect(error.message).not.toContain("s3cret");
    await plugin.close();
  });
});
