import type { JsonObject } from "../../../src/base/json.ts";
import { CoreWorld, errorOf } from "../../core/world.ts";
import type { PostgresLogin, PostgresServer } from "../../servers/postgres.ts";

/** A core with a database mount, connected to a real PostgreSQL, and a clock that stands still until told. */
export interface DatabaseWorld {
  readonly world: CoreWorld;
  readonly server: PostgresServer;
  readonly admin: PostgresLogin;
  /** Writes a path. @returns The refusal's text; "" when it was taken. */
  put(path: string, body?: JsonObject): Promise<string>;
  /** Makes a user with a password, outside of vsec. */
  makeUser(username: string, password: string): Promise<void>;
  /** Whether the password logs in. */
  logsIn(username: string, password: string): Promise<boolean>;
}

/** @param more - Parameters of the connection `pg` besides the usual. */
export async function databaseWorld(server: PostgresServer, more: JsonObject = {}): Promise<DatabaseWorld> {
  const world = await CoreWorld.create();
  const admin = await server.createAdmin("superuser");
  const put = async (path: string, body: JsonObject = {}): Promise<string> =>
    errorOf(await world.put(path, body));
  await world.put("sys/mounts/database", { type: "database" });
  await world.put("database/config/pg", {
    plugin_name: "postgresql-database-plugin",
    connection_url: server.url({ database: "postgres", user: "{{username}}", password: "{{password}}" }),
    ...admin,
    allowed_roles: "*",
    ...more,
  });
  return {
    world,
    server,
    admin,
    put,
    async makeUser(username, password) {
      await server.query(`CREATE ROLE "${username}" LOGIN PASSWORD '${password}'`);
    },
    async logsIn(user, password) {
      try {
        await (await server.connect({ user, password })).end();
        return true;
      } catch (error) {
        if ((error as { code?: unknown }).code === "28P01") return false;
        throw error;
      }
    },
  };
}
