/** A store with a database behind it: what most sessions begin with. */

import type { PostgresLogin, PostgresServer } from "../servers/postgres.ts";
import type { RunOptions, World } from "./world.ts";

/** A new user, with the rights of nobody. */
export const CREATE_USER =
  "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';";

export interface Creds {
  readonly lease_id: string;
  readonly lease_duration: number;
  readonly renewable: boolean;
  readonly warnings: readonly string[] | null;
  readonly data: { readonly username: string; readonly password: string };
}

export interface DatabaseOptions {
  /** Default `database`. */
  readonly mount?: string;
  /** The connection's name; default `pg`. */
  readonly connection?: string;
  readonly admin?: PostgresLogin;
  /** Roles by name, each with its TTL; default `{ app: "1h" }`. */
  readonly roles?: Readonly<Record<string, string>>;
}

/** Where the server is, as a configuration has it. */
export function connectionUrl(server: PostgresServer): string {
  return server.url({ database: "postgres", user: "{{username}}", password: "{{password}}" });
}

/** `operator init`, then an engine, its connection (by an administrator who may create roles and nothing else) and roles. */
export async function initDatabase(
  world: World,
  server: PostgresServer,
  options: DatabaseOptions = {},
): Promise<PostgresLogin> {
  await world.ok("operator init -seal=key-file");
  return addDatabase(world, server, options);
}

/** The part of {@link initDatabase} after the init. @returns The administrator, as configured. */
export async function addDatabase(
  world: World,
  server: PostgresServer,
  options: DatabaseOptions = {},
): Promise<PostgresLogin> {
  const { mount = "database", connection = "pg", roles = { app: "1h" } } = options;
  const admin = options.admin ?? (await server.createAdmin("createrole"));
  await world.ok(`secrets enable -path=${mount} database`);
  await writeConfig(world, server, `${mount}/config/${connection}`, admin);
  world.file("create.sql", CREATE_USER);
  for (const [name, ttl] of Object.entries(roles)) {
    const role = `db_name=${connection} creation_statements=@create.sql default_ttl=${ttl} max_ttl=24h`;
    await world.ok(`write ${mount}/roles/${name} ${role}`);
  }
  return admin;
}

export async function writeConfig(
  world: World,
  server: PostgresServer,
  path: string,
  admin: PostgresLogin,
): Promise<void> {
  const url = connectionUrl(server);
  const plugin = "plugin_name=postgresql-database-plugin allowed_roles=*";
  await world.ok(`write ${path} ${plugin} connection_url=${url} username=${admin.username} password=-`, {
    stdin: admin.password,
  });
}

export function readCreds(
  world: World,
  path = "database/creds/app",
  options: RunOptions = {},
): Promise<Creds> {
  return world.json<Creds>(`read ${path}`, options);
}

/** The users that vsec made on the server, oldest first. */
export async function usersOn(server: PostgresServer): Promise<string[]> {
  const rows = await server.query<{ rolname: string }>(
    "SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%' ORDER BY oid",
  );
  return rows.map((row) => row.rolname);
}

/** Whether a login is let in. */
export async function logsIn(server: PostgresServer, login: PostgresLogin): Promise<boolean> {
  try {
    const client = await server.connect({ user: login.username, password: login.password });
    await client.end();
    return true;
  } catch {
    return false;
  }
}
