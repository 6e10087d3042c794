import { afterAll, beforeAll, expect, test } from "bun:test";
import type { DatabasePlugin } from "../../../../src/engines/database/plugin.ts";
import { type MysqlServer, startMysql } from "../../../servers/mysql.ts";
import { failureOf } from "../failure.ts";
import { CREATE_USER, createUser, doomed, onEachFlavour, openPlugin } from "./fixture.ts";

onEachFlavour((flavour) => {
  let server: MysqlServer;
  let plugin: DatabasePlugin;
  beforeAll(async () => {
    server = await startMysql({ flavour });
    plugin = openPlugin(server, await server.createAdmin());
  });
  afterAll(async () => {
    await plugin?.close();
    await server?.stop();
  });

  const logIn = async (user: string, password: string) => (await server.connect({ user, password })).end();
  const hosts = async (user: string) => {
    const rows = await server.query("SELECT Host AS host FROM mysql.user WHERE User = ?", [user]);
    return rows.map(({ host }) => String(host)).sort();
  };

  test("a changed password is the one that works from then on", async () => {
    await createUser(plugin, "life-1", "old");
    const own = "ALTER USER '{{username}}'@'%' IDENTIFIED BY '{{password}}'";
    for (const [password, statements] of [
      ["new'1\\'\"`", []],
      ["new2", [own]],
    ] as const) {
      await plugin.setPassword("life-1", password, statements);
      await logIn("life-1", password);
    }
    expect(await failureOf(logIn("life-1", "old"))).toMatchObject({ errno: 1045 });
  });

  test("a password with a backslash is taken as it is, whatever sql_mode says of backslashes", async () => {
    await createUser(plugin, "life-2", "old");
    const url = server.url("?sql_mode=%27NO_BACKSLASH_ESCAPES%2CANSI_QUOTES%27");
    const other = openPlugin(server, await server.createAdmin(), { connection_url: url });
    await other.setPassword("life-2", "b\\'x\\", []);
    await logIn("life-2", "b\\'x\\");
    expect(await other.deleteUsers(doomed("life-2"))).toEqual([null]);
    await other.close();
  });

  test("a wrong password is told from a user that may not log in here, whatever its password", async () => {
    await createUser(plugin, "life-20", "right");
    expect(await plugin.verifyLogin?.("life-20", "right")).toBe("accepted");
    expect(await plugin.verifyLogin?.("life-20", "wrong")).toBe("refused");
    await server.query("CREATE USER 'life-21'@'10.0._.%' IDENTIFIED BY 'right'");
    expect(await plugin.verifyLogin?.("life-21", "right")).toBe("barred");
    await server.query("CREATE USER 'life-22'@'127.0.%' IDENTIFIED BY 'right'");
    expect(await plugin.verifyLogin?.("life-22", "wrong")).toBe("refused");
    await server.query("ALTER USER 'life-22'@'127.0.%' ACCOUNT LOCK");
    expect(await plugin.verifyLogin?.("life-22", "right")).toBe("barred");
    // A connection's own database is no place that this user has to be let into.
    const other = openPlugin(server, await server.createAdmin(), { connection_url: server.url("app") });
    expect(await other.verifyLogin?.("life-20", "right")).toBe("accepted");
    await other.close();
    expect(await plugin.deleteUsers(doomed("life-20", "life-21", "life-22"))).toEqual([null, null, null]);
  });

  test("a user is deleted for whatever hosts it was made, and its password changed where it has just one", async () => {
    const local = CREATE_USER.replace("'%'", "'127.0.0.1'");
    await plugin.newUser({ username: "life-3", password: "x", expiresAt: 0, creationStatements: [local] });
    await plugin.setPassword("life-3", "y", []);
    await logIn("life-3", "y");
    await server.query("CREATE USER 'life-3'@'10.0.0.%'");
    expect(await hosts("life-3")).toEqual(["10.0.0.%", "127.0.0.1"]);
    expect(await plugin.deleteUsers(doomed("life-3"))).toEqual([null]);
    expect(await hosts("life-3")).toEqual([]);
  });

  test("a creation that fails after its first statement is an unknown outcome, since the server cannot take it back", async () => {
    const failing = createUser(plugin, "life-4", "hunter2-rest", "SELECT nothing FROM nowhere.at_all");
    expect(await failureOf(failing)).toMatchObject({ name: "DatabaseError", kind: "ambiguous" });
    expect(await failureOf(failing)).toHaveProperty(
      "message",
      expect.stringContaining("statement 2 of 2 failed: "),
    );
    const first = createUser(plugin, "life-4", "x");
    expect(await failureOf(first)).toMatchObject({ kind: "statement", serverCode: "1396" });
    expect(await plugin.deleteUsers(doomed("life-4"))).toEqual([null]);
  });

  test("what a creation writes into tables is taken back when a later statement fails", async () => {
    const insert = "INSERT INTO app.items VALUES (4711)";
    const statements = [insert, "SELECT nothing FROM nowhere.at_all"];
    const user = { username: "life-5", password: "x", expiresAt: 0, creationStatements: statements };
    expect(await failureOf(plugin.newUser(user))).toMatchObject({ kind: "ambiguous" });
    expect(await server.query("SELECT 1 FROM app.items WHERE id = 4711")).toEqual([]);
  });

  test("statements that cannot be prepared run, and those in a JSON array run unsplit", async () => {
    const block = JSON.stringify([
      "CREATE PROCEDURE app.made() BEGIN DO 1; DO 2; END",
      "LOCK TABLES app.items READ",
      "UNLOCK TABLES",
    ]);
    const more = await server.createAdmin();
    await server.query(`GRANT CREATE ROUTINE, LOCK TABLES ON app.* TO '${more.username}'@'%'`);
    const able = openPlugin(server, more);
    await createUser(able, "life-6", "x", block);
    const made = await server.query(
      "SELECT ROUTINE_NAME AS name FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'app'",
    );
    expect(made).toMatchObject([{ name: "made" }]);
    expect(await able.deleteUsers(doomed("life-6"))).toEqual([null]);
    await able.close();
  });

  test("creation without statements is refused as a bad request", async () => {
    for (const creationStatements of [[], [" ", ";"]]) {
      const user = { username: "life-7", password: "x", expiresAt: 0, creationStatements };
      expect(await failureOf(plugin.newUser(user))).toMatchObject({
        status: 400,
        errors: ["empty creation statements"],
      });
    }
  });

  test("an error carries no piece of the password, not even where the server quotes the statement", async () => {
    const password = "hunter2 'and the rest";
    for (const statement of ["SELEC '{{password}}'", "SELECT 1 FROM '{{password}}'", "SELECT {{password}}"]) {
      const error = await failureOf(createUser(plugin, "life-8", "plain", statement));
      expect(error.message).not.toContain("plain");
      const odd = { username: "life-9", password, expiresAt: 0, creationStatements: [statement] };
      const { message, cause } = await failureOf(plugin.newUser(odd));
      for (const piece of ["hunter2", "and the rest"]) expect(message).not.toContain(piece);
      expect(cause).toBeUndefined();
      await plugin.deleteUsers(doomed("life-8", "life-9"));
    }
  });

  test("custom revocation runs as given, ends sessions, and an absent user does not need it", async () => {
    await createUser(plugin, "life-10", "x");
    const open = await server.connect({ user: "life-10", password: "x" });
    const statements = ["ALTER USER '{{name}}'@'%' ACCOUNT LOCK"];
    expect(await plugin.deleteUsers([{ username: "life-10", revocationStatements: statements }])).toEqual([
      null,
    ]);
    await failureOf(open.query("SELECT 1"));
    await failureOf(logIn("life-10", "x"));
    expect(await hosts("life-10")).toEqual(["%"]);
    const broken = { username: "never-was", revocationStatements: ["not even SQL"] };
    expect(await plugin.deleteUsers([broken])).toEqual([null]);
    const [outcome] = await plugin.deleteUsers([{ ...broken, username: "life-10" }]);
    expect(outcome?.message).toStartWith('revoking user "life-10": statement 1 of 1 failed: ');
    await plugin.deleteUsers(doomed("life-10"));
  });

  test("names with quotes and other odd characters are handled", async () => {
    const names = ["a`b", "it's", "semi;colon", "back\\slash", '$1 {{name}} "', "ümlaut"];
    for (const name of names) {
      await server.query("CREATE USER ?@'%'", [name]);
      await plugin.setPassword(name, `p ${name}`, []);
      await logIn(name, `p ${name}`);
    }
    expect(await plugin.deleteUsers(doomed(...names))).toEqual(names.map(() => null));
    for (const name of names) expect(await hosts(name)).toEqual([]);
  });

  test("an administrator with odd characters in name and password logs in, by TCP and by socket, and changes its own password", async () => {
    const admin = await server.createAdmin("ad:m@in /x");
    for (const password of ["p@s:s/w%25 '\\é?#)", "second"]) {
      const before = openPlugin(server, admin);
      await before.setPassword(admin.username, password, []);
      await before.close();
      Object.assign(admin, { password });
      const socket = `{{username}}:{{password}}@unix(${server.socketPath})/app`;
      for (const more of [{}, { connection_url: socket }]) {
        const odd = openPlugin(server, admin, more);
        await odd.verify();
        await odd.close();
      }
    }
  });

  test("the administrator's own user is not dropped", async () => {
    const admin = await server.createAdmin();
    const own = openPlugin(server, admin);
    const [outcome] = await own.deleteUsers(doomed(admin.username));
    expect(outcome?.message).toContain("it is the administrator of this connection");
    await own.verify();
    await own.close();
  });

  test("a wrong password is told from a server that does not answer, and a second host is tried", async () => {
    const admin = await server.createAdmin();
    const wrong = openPlugin(server, { ...admin, password: "hunter2" });
    expect(await failureOf(wrong.verify())).toMatchObject({ kind: "auth", serverCode: "1045" });
    const nobody = openPlugin(server, admin, {
      connection_url: "{{username}}:{{password}}@tcp(127.0.0.1:1)/",
    });
    expect(await failureOf(nobody.verify())).toMatchObject({ kind: "unreachable" });
    const [outcome] = await nobody.deleteUsers(doomed("x"));
    expect(outcome).toMatchObject({ kind: "unreachable" });
    const second = `{{username}}:{{password}}@tcp(127.0.0.1:1,127.0.0.1:${server.port})/`;
    const both = openPlugin(server, admin, { connection_url: second });
    await both.verify();
    for (const each of [wrong, nobody, both]) await each.close();
  });

  test("an idle connection does not keep the process alive", async () => {
    const { username, password } = await server.createAdmin();
    const url = server.url().replace("{{username}}", username).replace("{{password}}", password);
    const folder = "../../../../src/engines/database/plugins/mysql/plugin.ts";
    const script = `
      const { mysql } = await import(${JSON.stringify(new URL(folder, import.meta.url).href)});
      const context = { clock: { now: Date.now, sleep: () => Promise.resolve() } };
      await mysql.open({ connection_url: ${JSON.stringify(url)} }, context).verify();
      process.stdout.write("verified");`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
    expect(await new Response(child.stdout).text()).toBe("verified");
    expect(await child.exited).toBe(0);
  });
});
