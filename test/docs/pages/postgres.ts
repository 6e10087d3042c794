/** The pages whose database is PostgreSQL. */

import { expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { CREATE_USER } from "../../e2e/database.ts";
import type { PostgresServer } from "../../servers/postgres.ts";
import type { Place } from "../place.ts";
import { initStore } from "./stores.ts";

/** The name that the pages' database has, and who may make roles in it. */
export const HOST = "db.example:5432";
export const ADMIN = "vsec_admin";

/**
 * A server with the database `app`, and the administrator of the pages, whose password lies in `admin-password`. Roles that an
 * earlier page has made are gone.
 */
export async function withPostgres(at: Place): Promise<PostgresServer> {
  const server = await at.servers.get("postgres");
  const roles = await server.query<{ name: string }>(
    "SELECT quote_ident(rolname) AS name FROM pg_roles WHERE rolname <> current_user AND rolname !~ '^pg_' ORDER BY oid DESC",
  );
  await server.query("DROP DATABASE IF EXISTS app WITH (FORCE)");
  for (const { name } of roles) await server.query(`DROP ROLE ${name}`);
  await server.query("CREATE DATABASE app");
  await runIn(server, "CREATE TABLE orders (id int)");
  const { password } = await server.createAdmin("createrole", ADMIN);
  at.world.file("admin-password", password);
  return server;
}

/** The address that pages give the server, where they name it. */
export async function namesHost(at: Place): Promise<void> {
  const { port } = await at.servers.get("postgres");
  at.replaced.set(HOST, `127.0.0.1:${port}`);
}

/** Runs statements of a page, as the administrator of the pages. */
export async function runAsAdmin(at: Place, statements: string): Promise<void> {
  const server = await at.servers.get("postgres");
  const password = readFileSync(at.at("admin-password"), "utf8");
  const client = await server.connect({ user: ADMIN, password, database: "app" });
  await client.query(statements);
  await client.end();
}

/** Runs statements of a page, as whoever owns the database. */
export async function asOwner(at: Place, statements: string): Promise<void> {
  await runIn(await at.servers.get("postgres"), statements);
}

async function runIn(server: PostgresServer, statements: string): Promise<void> {
  const client = await server.connect({ database: "app" });
  await client.query(statements);
  await client.end();
}

/** A store with a connection of this name, and roles by name, each with a TTL of an hour. */
export async function initDatabase(at: Place, connection: string, roles: readonly string[]): Promise<void> {
  const { port } = await withPostgres(at);
  const { world } = at;
  await initStore(at);
  await world.ok("secrets enable database");
  const url = `postgresql://{{username}}:{{password}}@127.0.0.1:${port}/app`;
  await world.ok(
    `write database/config/${connection} plugin_name=postgresql-database-plugin allowed_roles=* connection_url=${url} username=${ADMIN} password=@admin-password`,
  );
  world.file("create.sql", CREATE_USER);
  for (const role of roles)
    await world.ok(
      `write database/roles/${role} db_name=${connection} creation_statements=@create.sql default_ttl=1h max_ttl=24h`,
    );
}

/** What a file of the reader's holds; nothing while it is not there. */
export function contentOf(at: Place, name: string): string {
  return existsSync(at.at(name)) ? readFileSync(at.at(name), "utf8") : "";
}

/** That no user of a lease is left. */
export async function expectNoUsers(at: Place): Promise<void> {
  const users = await (await at.servers.get("postgres")).query(
    "SELECT 1 FROM pg_roles WHERE rolname LIKE 'v-%'",
  );
  expect(users).toEqual([]);
}
