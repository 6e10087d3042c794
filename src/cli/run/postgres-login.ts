import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemAuthorities } from "../../platform/system-authorities.ts";
import type { Credentials, LoginConnection } from "./credentials.ts";
import type { Gathered } from "./gifts.ts";

const AUTHORITIES_FILE = "postgres-ca.pem";

/**
 * libpq's variables, which psql, pg_dump and every driver on top of it read. A service goes: its host, user and password would
 * win over these. So does what would lead to another server than the connection's.
 * @see PostgreSQL's documentation, libpq: environment variables; the connection service file.
 */
export async function givePostgres(path: string, credentials: Credentials, to: Gathered): Promise<void> {
  const { connection } = await credentials.readLogin(path);
  Object.assign(to.variables, {
    PGSERVICE: undefined,
    ...(connection === undefined ? {} : placeVariables(connection, to)),
    PGUSER: await credentials.value({ path, field: "username" }),
    PGPASSWORD: await credentials.value({ path, field: "password" }),
  });
}

function placeVariables(connection: LoginConnection, to: Gathered): Record<string, string | undefined> {
  const { environment, authorities } = connection;
  const given = { PGHOSTADDR: undefined, PGREQUIRESSL: undefined, ...environment };
  if (authorities !== undefined) {
    to.files[AUTHORITIES_FILE] = authorities;
    return { ...given, PGSSLROOTCERT: join(to.directory(), AUTHORITIES_FILE) };
  }
  const file = "PGSSLROOTCERT" in environment ? undefined : authoritiesFor(connection, to.env);
  return file === undefined ? given : { ...given, PGSSLROOTCERT: file };
}

/** libpq verifies by a file alone; where neither the connection nor the user names one, the system's authorities are meant. */
function authoritiesFor({ tlsMode }: LoginConnection, env: Gathered["env"]): string | undefined {
  if (tlsMode?.startsWith("verify-") !== true || env.PGSSLROOTCERT !== undefined) return undefined;
  if (env.HOME !== undefined && existsSync(join(env.HOME, ".postgresql/root.crt"))) return undefined;
  return systemAuthorities();
}
