import type { Query, Row } from "./connection.ts";
import { identifier } from "./quoting.ts";

/** A role that is to go. */
export interface DoomedRole {
  readonly name: string;
  readonly oid: number;
  /** The statement that gives the administrator the role's rights; undefined where it has them. */
  readonly join: string | undefined;
  /** It is the administrator's own. */
  readonly isSelf: boolean;
}

const ROLES_QUERY = `
SELECT r.rolname::text AS name, r.oid::int8::float8 AS oid, r.rolcanlogin AS can_login,
  me.rolsuper OR pg_has_role(me.oid, r.oid, 'USAGE') AS is_joined,
  r.oid = me.oid AS is_self,
  current_setting('server_version_num')::int AS version
FROM pg_roles r, (SELECT oid, rolsuper FROM pg_roles WHERE rolname = current_user) me
WHERE r.rolname = ANY($1::text[])`;

/** Looks up roles by name; {@link roleOf} reads the rows. */
export function rolesQuery(names: readonly string[]): Query {
  return { text: ROLES_QUERY, values: [names] };
}

export function roleOf(row: Row): DoomedRole {
  const name = String(row.name);
  const join = row.is_joined === true ? undefined : joinRole(name, Number(row.version));
  return { name, oid: Number(row.oid), join, isSelf: row.is_self === true };
}

/**
 * The statement that gives the administrator a role's rights.
 * @param version - The server's, as in `server_version_num`.
 */
export function joinRole(name: string, version: number): string {
  // Since 16 membership alone does not carry the role's rights; before, the options did not exist.
  const options = version >= 160_000 ? " WITH INHERIT TRUE, SET TRUE" : "";
  return `GRANT ${identifier(name)} TO CURRENT_USER${options}`;
}
