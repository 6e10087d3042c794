/**
 * The roles of a batch, summed up by the server in one row: a row for each would cost this process more than all else that it
 * does for them. Lists that only exceptions need stay text until then.
 */

import type { Query, Row } from "./connection.ts";
import { fromTextArray, textArray } from "./quoting.ts";

/** Roles that are to go, and are there. The administrator itself is not among them. */
export interface DoomedRoles {
  readonly names: readonly string[];
  /** Of all of them, as PostgreSQL writes an array. */
  readonly oids: string;
  /** Those that can log in. */
  readonly logins: readonly string[];
  /** The names, by the role's number. */
  byOid(): ReadonlyMap<number, string>;
}

/** What became of the names that were looked for. */
export interface FoundRoles {
  readonly roles: DoomedRoles;
  readonly missing: readonly string[];
  /** The administrator, where it is among the names. */
  readonly self: string | undefined;
}

const FIND_QUERY = `
SELECT array_agg(oid)::text AS oids, array_agg(rolname)::text AS names, count(*)::int AS count,
  (array_agg(rolname) FILTER (WHERE NOT rolcanlogin))::text AS without_login,
  CASE WHEN current_user = ANY($1::text[]) THEN current_user::text END AS self
FROM pg_roles WHERE rolname = ANY($1::text[]) AND rolname <> current_user`;

/** Looks up roles by name; {@link readFound} reads the row. */
export function findQuery(names: readonly string[]): Query {
  return { text: FIND_QUERY, values: [textArray(names)] };
}

/** @param wanted - The names that were looked for, each once. */
export function readFound(wanted: readonly string[], row: Row | undefined): FoundRoles {
  const self = typeof row?.self === "string" ? row.self : undefined;
  const inOrder = () => fromTextArray(String(row?.names ?? "{}"));
  const isComplete = Number(row?.count ?? 0) === wanted.length;
  const names = isComplete ? wanted : inOrder();
  const oids = String(row?.oids ?? "{}");
  const byOid = () => {
    const ordered = inOrder();
    return new Map(fromTextArray(oids).map((oid, index) => [Number(oid), ordered[index] ?? ""]));
  };
  const logins = without(names, fromTextArray(String(row?.without_login ?? "{}")));
  const missing = isComplete ? [] : without(wanted, names).filter((name) => name !== self);
  return { roles: { names, oids, logins, byOid }, missing, self };
}

/** The names that are not among the others. */
export function without(names: readonly string[], others: readonly string[]): readonly string[] {
  if (others.length === 0) return names;
  const isOther = new Set(others);
  return names.filter((name) => !isOther.has(name));
}
