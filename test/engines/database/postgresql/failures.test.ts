import { afterAll, beforeAll, expect, test } from "bun:test";
import { type PostgresLogin, type PostgresServer, startPostgres } from "../../../servers/postgres.ts";
import { until } from "../../../servers/process.ts";
import { failureOf } from "../failure.ts";
import { startProxy, type TcpProxy } from "../proxy.ts";
import { createLogin, doomed, HOUR_MS, onEachVersion, openPlugin } from "./fixture.ts";

onEachVersion((version) => {
  let server: PostgresServer;
  let admin: PostgresLogin;
  let database: string;
  let proxy: TcpProxy;
  beforeAll(async () => {
    server = await startPostgres({ version });
    admin = await server.createAdmin("createrole");
    database = await server.createDatabase();
    proxy = await startProxy(server.port);
  });
  afterAll(async () => {
    await proxy?.close();
    await server?.stop();
  });

  const throughProxy = () =>
    `postgresql://{{username}}:{{password}}@127.0.0.1:${proxy.port}/${database}?sslmode=disable`;
  const exists = async (role: string) =>
    (await server.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [role])).length === 1;

  test("a connection lost after COMMIT was sent is an unknown outcome, and deletion settles it", async () => {
    const plugin = openPlugin(server, admin, database, { connection_url: throughProxy() });
    proxy.cutAfter("COMMIT\0");
    const error = await failureOf(createLogin(plugin, "ambiguous", "x"));
    proxy.cutAfter(undefined);
    expect(error).toMatchObject({ name: "DatabaseError", kind: "ambiguous", isUnasked: false });
    expect(await plugin.deleteUsers(doomed("ambiguous"))).toEqual([null]);
    expect(await exists("ambiguous")).toBe(false);
    await plugin.close();
  });

  test("a new connection that is lost on the way is called ambiguous, since its commit was on the way too, and deletion settles it", async () => {
    const plugin = openPlugin(server, admin, database, { connection_url: throughProxy() });
    proxy.cutAfter("pg_advisory_xact_lock");
    const error = await failureOf(createLogin(plugin, "lost", "x"));
    proxy.cutAfter(undefined);
    expect(error).toMatchObject({ kind: "ambiguous", isUnasked: false });
    await until("the server to have noticed", async () => {
      const rows = await server.query("SELECT 1 FROM pg_stat_activity WHERE usename = $1", [admin.username]);
      return rows.length === 0;
    });
    expect(await plugin.deleteUsers(doomed("lost"))).toEqual([null]);
    expect(await exists("lost")).toBe(false);
    await plugin.close();
  });

  test.each([[["in-progress"]], [["in-progress", "beside"]]])(
    "deleting %j waits for the creation that is under way, and then deletes what it made",
    async (names) => {
      const plugin = openPlugin(server, admin, database);
      await createLogin(plugin, "beside", "x");
      const gate = await server.connect({ database });

      await gate.query("BEGIN; SELECT pg_advisory_xact_lock(42)");
      const creation = createLogin(plugin, "in-progress", "x", "SELECT pg_advisory_xact_lock(42)");
      const waiting = (count: number) => async () => {
        const rows = await server.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
        return rows.length === count;
      };
      await until("the creation to be under way", waiting(1));
      const deletion = plugin.deleteUsers(doomed(...names));
      await until("the deletion to wait", waiting(2));
      await gate.query("COMMIT");
      await gate.end();
      await creation;
      expect(await deletion).toEqual(names.map(() => null));
      expect(await exists("in-progress")).toBe(false);
      await plugin.deleteUsers(doomed("beside"));
      await plugin.close();
    },
  );

  test("a server that went away and came back is used again without a restart", async () => {
    const plugin = openPlugin(server, admin, database);
    await createLogin(plugin, "restart-1", "x");
    await server.halt();
    expect(await failureOf(plugin.verify())).toMatchObject({ kind: "unreachable" });
    const unasked = { kind: "unreachable", isUnasked: true };
    expect(await failureOf(createLogin(plugin, "restart-2", "x"))).toMatchObject(unasked);
    const [outcome] = await plugin.deleteUsers(doomed("restart-1"));
    expect(outcome).toMatchObject({ kind: "unreachable" });
    await server.resume();
    await createLogin(plugin, "restart-2", "x");
    expect(await plugin.deleteUsers(doomed("restart-1", "restart-2"))).toEqual([null, null]);
    await plugin.close();
  });

  test("an idle connection that broke unnoticed is replaced within the call", async () => {
    const plugin = openPlugin(server, admin, database, { connection_url: throughProxy() });
    await plugin.verify();
    await server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", [
      admin.username,
    ]);
    await createLogin(plugin, "replaced", "x");
    proxy.cutAll();
    await plugin.setExpiration("replaced", Date.now() + HOUR_MS, []);
    proxy.cutAll();
    expect(await plugin.deleteUsers(doomed("replaced"))).toEqual([null]);
    await plugin.close();
  });

  test("one connection serves a command, and no more than allowed serve many calls at once", async () => {
    const before = proxy.connections();
    const more = { connection_url: throughProxy(), max_open_connections: 2 };
    const plugin = openPlugin(server, admin, database, more);
    await createLogin(plugin, "pool", "x");
    expect(proxy.connections() - before).toBe(1);
    const users = Array.from({ length: 20 }, (_, index) => `pool-${index}`);
    await Promise.all(users.map((user) => createLogin(plugin, user, "x")));
    expect(await plugin.deleteUsers(doomed("pool", ...users))).toEqual(Array(21).fill(null));
    expect(proxy.connections() - before).toBe(2);
    await plugin.close();
    expect(await failureOf(plugin.verify())).toMatchObject({ kind: "unreachable" });
    await until("all sessions to be over", async () => {
      const rows = await server.query("SELECT 1 FROM pg_stat_activity WHERE usename = $1", [admin.username]);
      return rows.length === 0;
    });
  });

  test("with no idle connections allowed each use opens its own", async () => {
    const before = proxy.connections();
    const more = { connection_url: throughProxy(), max_idle_connections: -1 };
    const plugin = openPlugin(server, admin, database, more);
    await plugin.verify();
    await plugin.verify();
    expect(proxy.connections() - before).toBe(2);
    await plugin.close();
  });
});
