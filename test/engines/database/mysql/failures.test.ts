import { afterAll, beforeAll, expect, test } from "bun:test";
import { type MysqlLogin, type MysqlServer, startMysql } from "../../../servers/mysql.ts";
import { until } from "../../../servers/process.ts";
import { failureOf } from "../failure.ts";
import { startProxy, type TcpProxy } from "../proxy.ts";
import { CREATE_USER, createUser, doomed, onEachFlavour, openPlugin } from "./fixture.ts";

onEachFlavour((flavour) => {
  let server: MysqlServer;
  let admin: MysqlLogin;
  let proxy: TcpProxy;
  beforeAll(async () => {
    server = await startMysql({ flavour });
    admin = await server.createAdmin();
    proxy = await startProxy(server.port);
  });
  afterAll(async () => {
    await proxy?.close();
    await server?.stop();
  });

  const throughProxy = () => ({
    connection_url: `{{username}}:{{password}}@tcp(127.0.0.1:${proxy.port})/`,
  });
  const exists = async (user: string) => (await server.users()).includes(user);
  const sessions = (user: string) =>
    server.query("SELECT id FROM information_schema.processlist WHERE user = ?", [user]);

  test("a connection lost while a user was being created is an unknown outcome, and deletion settles it", async () => {
    const plugin = openPlugin(server, admin, throughProxy());
    for (const last of ["CREATE USER", "COMMIT"]) {
      proxy.cutAfter(last);
      const error = await failureOf(createUser(plugin, "ambiguous", "x"));
      proxy.cutAfter(undefined);
      expect(error).toMatchObject({ name: "DatabaseError", kind: "ambiguous" });
      expect(await plugin.deleteUsers(doomed("ambiguous"))).toEqual([null]);
      expect(await exists("ambiguous")).toBe(false);
    }
    await plugin.close();
  });

  test.each([[["in-progress"]], [["in-progress", "beside"]]])(
    "deleting %j waits for the creation that is under way, and then deletes what it made",
    async (names) => {
      const plugin = openPlugin(server, admin);
      await createUser(plugin, "beside", "x");
      const gate = await server.connect();
      await gate.query("SELECT GET_LOCK('gate', 10)");
      const creation = createUser(plugin, "in-progress", "x", "SELECT GET_LOCK('gate', 20)");
      const waiting = (count: number) => async () => {
        const rows = await server.query(
          "SELECT 1 FROM information_schema.processlist WHERE state = 'User lock' AND user = ?",
          [admin.username],
        );
        return rows.length === count;
      };
      await until("the creation to be under way", waiting(1));
      const deletion = plugin.deleteUsers(doomed(...names));
      await until("the deletion to wait", waiting(2));
      await gate.query("SELECT RELEASE_LOCK('gate')");
      await gate.end();
      await creation;
      expect(await deletion).toEqual(names.map(() => null));
      expect(await exists("in-progress")).toBe(false);
      await plugin.deleteUsers(doomed("beside"));
      await plugin.close();
    },
  );

  test("an idle connection that broke unnoticed is replaced within the call", async () => {
    const plugin = openPlugin(server, admin, throughProxy());
    await plugin.verify();
    for (const { id } of await sessions(admin.username)) await server.query(`KILL ${Number(id)}`);
    await createUser(plugin, "replaced", "x");
    proxy.cutAll();
    await plugin.setPassword("replaced", "y", []);
    proxy.cutAll();
    expect(await plugin.deleteUsers(doomed("replaced"))).toEqual([null]);
    await plugin.close();
  });

  test("one connection serves a command, and no more than allowed serve many calls at once", async () => {
    const before = proxy.connections();
    const plugin = openPlugin(server, admin, { ...throughProxy(), max_open_connections: 2 });
    await plugin.warm?.();
    await createUser(plugin, "pool", "x");
    expect(proxy.connections() - before).toBe(1);
    const users = Array.from({ length: 20 }, (_, index) => `pool-${index}`);
    await Promise.all(users.map((user) => createUser(plugin, user, "x")));
    expect(await plugin.deleteUsers(doomed("pool", ...users, "never-was"))).toEqual(Array(22).fill(null));
    expect(proxy.connections() - before).toBe(2);
    await plugin.close();
    expect(await failureOf(plugin.verify())).toMatchObject({ kind: "unreachable" });
    await until("all sessions to be over", async () => (await sessions(admin.username)).length === 0);
  });

  test("an administrator that may not see or end sessions is told which privilege it lacks, and the login is gone all the same", async () => {
    const blind = openPlugin(server, await server.createAdmin(undefined, "CREATE USER"));
    await createUser(blind, "watched", "x");
    const [first] = await blind.deleteUsers(doomed("watched"));
    expect(first?.message).toContain("grant it PROCESS");
    expect(await exists("watched")).toBe(false);
    // It is not called a success as long as nobody could look.
    const [again] = await blind.deleteUsers(doomed("watched"));
    expect(again?.message).toContain("grant it PROCESS");
    await blind.close();
    const weak = openPlugin(server, await server.createAdmin(undefined, "CREATE USER, PROCESS"));
    await createUser(weak, "watched", "x");
    const open = await server.connect({ user: "watched", password: "x" });
    const [second] = await weak.deleteUsers(doomed("watched"));
    expect(second?.message).toContain("may not end sessions: grant it CONNECTION");
    await open.end();
    await until("the session to be over", async () => (await sessions("watched")).length === 0);
    expect(await weak.deleteUsers(doomed("watched"))).toEqual([null]);
    await weak.close();
  });

  test("where only Amazon's procedure may end a session, it does", async () => {
    await server.query("CREATE PROCEDURE mysql.rds_kill(IN id BIGINT) SQL SECURITY DEFINER KILL id");
    const managed = await server.createAdmin(undefined, "CREATE USER, PROCESS");
    await server.query(`GRANT EXECUTE ON PROCEDURE mysql.rds_kill TO '${managed.username}'@'%'`);
    const plugin = openPlugin(server, managed);
    await createUser(plugin, "managed", "x");
    const open = await server.connect({ user: "managed", password: "x" });
    expect(await plugin.deleteUsers(doomed("managed"))).toEqual([null]);
    await failureOf(open.query("SELECT 1"));
    await plugin.close();
  });

  test("one user that cannot be dropped does not hold up the others, and can no longer log in", async () => {
    if (flavour !== "MySQL") return;
    const plugin = openPlugin(server, admin);
    for (const user of ["fine-1", "definer", "fine-2"]) await createUser(plugin, user, "x");
    // MySQL refuses to drop who stands in the definition of something stored.
    await server.query("CREATE DEFINER = 'definer'@'%' VIEW app.seen AS SELECT id FROM app.items");
    const outcomes = await plugin.deleteUsers(doomed("fine-1", "definer", "fine-2"));
    expect(outcomes).toMatchObject([null, { kind: "statement" }, null]);
    expect(outcomes[1]?.message).toContain('dropping user "definer" failed: ');
    expect(await exists("fine-2")).toBe(false);
    expect(await failureOf(server.connect({ user: "definer", password: "x" }))).toMatchObject({
      errno: 3118,
    });
    await server.query("DROP VIEW app.seen");
    expect(await plugin.deleteUsers(doomed("definer"))).toEqual([null]);
    await plugin.close();
  });

  test("a login that no server of the list takes is reported as what it is", async () => {
    await server.query("CREATE USER 'locked'@'%' IDENTIFIED BY 'x' ACCOUNT LOCK");
    const locked = openPlugin(server, { username: "locked", password: "x" });
    expect(await failureOf(locked.verify())).toMatchObject({ kind: "auth" });
    await locked.close();
    const create = { username: "u", password: "x", expiresAt: 0, creationStatements: [CREATE_USER] };
    const powerless = openPlugin(server, await server.createAdmin(undefined, ""));
    expect(await failureOf(powerless.newUser(create))).toMatchObject({
      kind: "statement",
      serverCode: "1227",
    });
    await powerless.close();
  });
});
