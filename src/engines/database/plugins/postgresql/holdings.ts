/** What stands in the way of dropping roles: their sessions, and what they hold in which database. */

import type { Query, Row } from "./connection.ts";
import type { DoomedRoles } from "./doomed-roles.ts";
import { joinRole } from "./roles.ts";

/**
 * One row for each role that has sessions, and one for each role and database in which it holds something. Sessions are asked for
 * of the function behind `pg_stat_activity`, whose joins with databases and roles would double the time.
 */
const INVOLVED_QUERY = `
SELECT oid::int8::float8 AS oid, has_sessions, database, is_here, pg_has_role(oid, 'USAGE') AS is_joined,
  current_setting('server_version_num')::int AS version
FROM (
  SELECT DISTINCT usesysid AS oid, TRUE AS has_sessions, NULL::text AS database, FALSE AS is_here
  FROM pg_stat_get_activity(NULL) WHERE usesysid = ANY($1::oid[]) AND pid <> pg_backend_pid()
  UNION ALL
  SELECT DISTINCT d.refobjid, FALSE, b.datname::text, d.dbid = 0 OR b.datname = current_database()
  FROM pg_shdepend d LEFT JOIN pg_database b ON b.oid = d.dbid
  WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = ANY($1::oid[]) AND (d.dbid = 0 OR b.oid IS NOT NULL)
) involved`;

/** Who holds what. */
export interface Holdings {
  /** Something in this database, or shared by all. */
  readonly here: ReadonlySet<string>;
  readonly elsewhere: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Looks which roles have sessions or hold something; the functions below read the rows. */
export function involvedQuery({ oids }: DoomedRoles): Query {
  return { text: INVOLVED_QUERY, values: [oids] };
}

/** The roles that have sessions. */
export function activeOf(rows: readonly Row[]): number[] {
  return rows.filter(({ has_sessions }) => has_sessions === true).map(({ oid }) => Number(oid));
}

/** The statements that give the administrator the rights of these roles, where it has them not. */
export function joinsOf(roles: DoomedRoles, rows: readonly Row[]): readonly string[] {
  const others = rows.filter(({ is_joined }) => is_joined !== true);
  if (others.length === 0) return [];
  const byOid = roles.byOid();
  const joins = others.flatMap(({ oid, version }) => {
    const name = byOid.get(Number(oid));
    return name === undefined ? [] : [joinRole(name, Number(version))];
  });
  return [...new Set(joins)];
}

export function holdingsOf(roles: DoomedRoles, rows: readonly Row[]): Holdings {
  const here = new Set<string>();
  const elsewhere = new Map<string, Set<string>>();
  const held = rows.filter(({ has_sessions }) => has_sessions !== true);
  const byOid = held.length === 0 ? undefined : roles.byOid();
  for (const row of held) {
    const name = byOid?.get(Number(row.oid));
    if (name === undefined) continue;
    if (row.is_here === true) {
      here.add(name);
    } else {
      const database = String(row.database);
      const holders = elsewhere.get(database) ?? new Set();
      elsewhere.set(database, holders.add(name));
    }
  }
  return { here, elsewhere };
}
