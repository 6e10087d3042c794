/** Users made and dropped many at a time, as somebody would who does nothing else: the yardstick of revocation. */

import type { Connection } from "mysql2/promise";
import type pg from "pg";
import { initDatabase } from "../test/e2e/database.ts";
import { addMariadbRole, initMariadb } from "../test/e2e/mariadb.ts";
import { World } from "../test/e2e/world.ts";
import type { MysqlServer } from "../test/servers/mysql.ts";
import type { PostgresServer } from "../test/servers/postgres.ts";
import { createUser } from "./creds.ts";
import type { BenchWorld } from "./world.ts";

/** The users of one statement, or of one transaction. */
export const BATCH = 500;

/** A server whose users are counted by the thousand. */
export interface BulkServer {
  readonly title: string;
  /** A new store whose role `readonly` is on this server. @param connectionsMax - Of its connection. */
  newWorld(connectionsMax: number): Promise<BenchWorld>;
  /** Makes users in bulk. */
  make(world: BenchWorld, names: readonly string[]): Promise<void>;
  /** Ends users, by the same plan as the plugin's, over one connection of the administrator. */
  drop(world: BenchWorld, names: readonly string[]): Promise<void>;
  /** Connections of the administrator; each call of one makes a user by the statement of the role. */
  makers(world: BenchWorld, count: number): Promise<readonly Maker[]>;
  count(prefix: string): Promise<number>;
}

export interface Maker {
  make(name: string): Promise<unknown>;
  close(): Promise<void>;
}

export function batches(names: readonly string[]): string[][] {
  const all: string[][] = [];
  for (let start = 0; start < names.length; start += BATCH) all.push(names.slice(start, start + BATCH));
  return all;
}

function worldOf(world: World, admin: BenchWorld["admin"]): BenchWorld {
  return { world, admin, env: { HOME: world.home, VSEC_STORE: world.store } };
}

/** @param kind - The administrator: one that may create roles and nothing else is what we advise; a server is much faster for a superuser. */
export function bulkPostgres(
  server: PostgresServer,
  kind: "createrole" | "superuser" = "createrole",
): BulkServer {
  const connect = ({ admin }: BenchWorld): Promise<pg.Client> =>
    server.connect({ user: admin.username, password: admin.password });
  return {
    title: kind === "createrole" ? "PostgreSQL 18" : "PostgreSQL 18, superuser",
    newWorld: async (connectionsMax) => {
      const world = new World();
      const login = await server.createAdmin(kind);
      const admin = await initDatabase(world, server, { admin: login, roles: { readonly: "1h" } });
      await world.ok(`write database/config/pg max_open_connections=${connectionsMax}`);
      return worldOf(world, admin);
    },
    // The superuser does it: each role that an administrator makes takes the server longer than the one before.
    make: async ({ admin }, names) => {
      for (const batch of batches(names)) {
        const statements = batch.flatMap((name) => [
          createUser(name),
          `GRANT "${name}" TO "${admin.username}" WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`,
        ]);
        await server.query(statements.join("; "));
      }
    },
    drop: async (world, names) => {
      const client = await connect(world);
      for (const batch of batches(names)) await dropPostgres(client, batch);
      await client.end();
    },
    makers: (world, count) =>
      Promise.all(
        Array.from({ length: count }, async () => {
          const client = await connect(world);
          return { make: (name: string) => client.query(createUser(name)), close: () => client.end() };
        }),
      ),
    count: async (prefix) =>
      (await server.query("SELECT 1 FROM pg_roles WHERE starts_with(rolname, $1)", [prefix])).length,
  };
}

/** Logins away, sessions ended, roles dropped, and a look that they are. */
async function dropPostgres(client: pg.Client, names: readonly string[]): Promise<void> {
  const quoted = names.map((name) => `"${name}"`);
  await client.query(`BEGIN; ${quoted.map((name) => `ALTER ROLE ${name} NOLOGIN`).join("; ")}; COMMIT`);
  const ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY($1)";
  await client.query(ends, [names]);
  await client.query(`BEGIN; DROP ROLE ${quoted.join(", ")}; COMMIT`);
  await client.query("SELECT 1 FROM pg_roles WHERE rolname = ANY($1)", [names]);
}

export function bulkMariadb(server: MysqlServer): BulkServer {
  const connect = ({ admin }: BenchWorld): Promise<Connection> =>
    server.connect({ user: admin.username, password: admin.password });
  const account = (name: string) => `'${name}'@'%'`;
  const list = (names: readonly string[]) => names.map(account).join(", ");
  return {
    title: "MariaDB",
    newWorld: async (connectionsMax) => {
      const world = new World();
      const admin = await initMariadb(world, server);
      await addMariadbRole(world, "readonly");
      await world.ok(`write database/config/my max_open_connections=${connectionsMax}`);
      return worldOf(world, admin);
    },
    make: async (_, names) => {
      for (const batch of batches(names)) {
        const accounts = batch.map((name) => `${account(name)} IDENTIFIED BY 'x'`);
        await server.query(`CREATE USER ${accounts.join(", ")}`);
        await server.query(`GRANT SELECT ON app.* TO ${list(batch)}`);
      }
    },
    drop: async (world, names) => {
      const client = await connect(world);
      const values = (batch: readonly string[]) => batch.map((name) => `'${name}'`).join(", ");
      for (const batch of batches(names)) {
        await client.query(`DROP USER ${list(batch)}`);
        const sessions = `SELECT ID FROM information_schema.PROCESSLIST WHERE USER IN (${values(batch)})`;
        await client.query(sessions);
        await client.query(`SELECT User FROM mysql.user WHERE User IN (${values(batch)})`);
      }
      await client.end();
    },
    makers: (world, count) =>
      Promise.all(
        Array.from({ length: count }, async () => {
          const client = await connect(world);
          const create = async (name: string) => {
            await client.query(`CREATE USER ${account(name)} IDENTIFIED BY 'some-Password-0815'`);
            await client.query(`GRANT SELECT ON app.* TO ${account(name)}`);
          };
          return { make: create, close: () => client.end() };
        }),
      ),
    count: async (prefix) => (await server.users()).filter((user) => user.startsWith(prefix)).length,
  };
}
