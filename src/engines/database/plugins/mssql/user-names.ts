import type { Session } from "./connection.ts";

/** SQL Server's own logins begin with `##`; members of sysadmin, `sa` among them, are not anybody's users. */
const LOGINS =
  "SELECT name FROM master.sys.server_principals " +
  "WHERE type = 'S' AND name NOT LIKE '##%' AND ISNULL(IS_SRVROLEMEMBER('sysadmin', name), 0) = 0 ORDER BY name";

/** Users whose password is the database's own: authentication type 2. */
const CONTAINED_USERS =
  "SELECT name FROM sys.database_principals WHERE type = 'S' AND authentication_type = 2 ORDER BY name";

/** The names of all logins with a password, or in a contained database of its users with one; superusers left out. */
export async function userNames(session: Session, isContained: boolean): Promise<readonly string[]> {
  const rows = await session.query(isContained ? CONTAINED_USERS : LOGINS);
  return rows.map(({ name }) => String(name));
}
