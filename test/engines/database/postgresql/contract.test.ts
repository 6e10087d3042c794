import type { JsonObject } from "../../../../src/base/json.ts";
import {
  type PostgresServer,
  type PostgresVersion,
  postgresMissing,
  startPostgres,
} from "../../../servers/postgres.ts";
import { databaseContract, type PluginServer, type Session } from "../contract.ts";
import type { Login } from "../world.ts";
import { CREATE_LOGIN } from "./fixture.ts";

class PostgresContract implements PluginServer {
  readonly pluginName = "postgresql-database-plugin";
  readonly usernamePattern = /^v-root-contract-[A-Za-z0-9]{20}-[0-9]{10}$/;
  readonly role = { creation_statements: [CREATE_LOGIN] };
  readonly failingCreation = { creation_statements: [CREATE_LOGIN, `GRANT "no-such-role" TO "{{name}}"`] };
  readonly canEndSessions = true;
  readonly #server: PostgresServer;

  constructor(server: PostgresServer) {
    this.#server = server;
  }

  async newAdmin(): Promise<JsonObject> {
    const login = await this.#server.createAdmin("createrole");
    return { connection_url: this.#url(), ...login };
  }

  async newPowerlessAdmin(): Promise<JsonObject> {
    await this.#server.query("CREATE ROLE powerless LOGIN PASSWORD 'n0thing'");
    return { connection_url: this.#url(), username: "powerless", password: "n0thing" };
  }

  #url(): string {
    return this.#server.url({ database: "postgres", user: "{{username}}", password: "{{password}}" });
  }

  async logIn({ username, password }: Login): Promise<Session> {
    const client = await this.#server.connect({ user: username, password });
    return {
      isAlive: () =>
        client.query("SELECT 1").then(
          () => true,
          () => false,
        ),
      close: () => client.end(),
    };
  }

  async users(): Promise<readonly string[]> {
    const rows = await this.#server.query("SELECT rolname FROM pg_roles");
    return rows.map(({ rolname }) => String(rolname));
  }

  async dropUser(username: string): Promise<void> {
    await this.#server.query(`DROP ROLE "${username}"`);
  }

  async expiryOf(username: string): Promise<number> {
    const rows = await this.#server.query<{ at: Date }>(
      "SELECT rolvaliduntil AS at FROM pg_roles WHERE rolname = $1",
      [username],
    );
    return rows[0]?.at.getTime() ?? 0;
  }

  halt = () => this.#server.halt();
  resume = () => this.#server.resume();
  stop = () => this.#server.stop();
}

for (const version of [15, 18] satisfies PostgresVersion[]) {
  databaseContract({
    title: `PostgreSQL ${version}`,
    missing: postgresMissing(version),
    start: async () => {
      // The suite halts the server, and what was committed before must be there afterwards.
      const server = await startPostgres({ version, settings: { synchronous_commit: "on" } });
      return new PostgresContract(server);
    },
  });
}
