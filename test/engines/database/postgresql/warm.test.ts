import { afterAll, beforeAll, expect, test } from "bun:test";
import { type PostgresLogin, type PostgresServer, startPostgres } from "../../../servers/postgres.ts";
import { until } from "../../../servers/process.ts";
import { failureOf } from "../failure.ts";
import { startProxy, type TcpProxy } from "../proxy.ts";
import { onEachVersion, openPlugin } from "./fixture.ts";

onEachVersion((version) => {
  let server: PostgresServer;
  let admin: PostgresLogin;
  let proxy: TcpProxy;
  beforeAll(async () => {
    server = await startPostgres({ version });
    admin = await server.createAdmin("createrole");
    proxy = await startProxy(server.port);
  });
  afterAll(async () => {
    await proxy?.close();
    await server?.stop();
  });

  const throughProxy = () => ({
    connection_url: `postgresql://{{username}}:{{password}}@127.0.0.1:${proxy.port}/postgres?sslmode=disable`,
  });
  const sessions = () => server.query("SELECT 1 FROM pg_stat_activity WHERE usename = $1", [admin.username]);

  test("a connection that was begun early is the one that the next use gets", async () => {
    const plugin = openPlugin(server, admin, "postgres", throughProxy());
    const before = proxy.connections();
    await plugin.warm?.();
    await plugin.verify();
    await plugin.warm?.();
    await plugin.verify();
    expect(proxy.connections() - before).toBe(1);
    await plugin.close();
  });

  test("a refusal of an early connection is met by the next use, and the use after that connects anew", async () => {
    const plugin = openPlugin(server, { ...admin, password: "wrong" }, "postgres", throughProxy());
    await plugin.warm?.();
    expect(await failureOf(plugin.verify())).toMatchObject({ kind: "auth" });
    await server.query(`ALTER ROLE "${admin.username}" PASSWORD 'wrong'`);
    await plugin.verify();
    await server.query(`ALTER ROLE "${admin.username}" PASSWORD '${admin.password}'`);
    await plugin.close();
  });

  test("closing also ends an early connection that nobody came for", async () => {
    const plugin = openPlugin(server, admin, "postgres", throughProxy());
    await plugin.warm?.();
    await plugin.close();
    const idle = openPlugin(server, admin, "postgres", throughProxy());
    await idle.warm?.();
    await until("the early connection to be there", async () => (await sessions()).length > 0);
    await idle.close();
    await until("the early connection to be gone", async () => (await sessions()).length === 0);
    expect((await failureOf(idle.verify())).message).toContain("the connection was closed");
  });
});
