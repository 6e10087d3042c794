import type { Connection } from "./connection.ts";
import { type Account, accountName, binaryList, literal } from "./quoting.ts";

/** Where a user is looked for when nothing is known of its hosts, and what Vault always takes. */
const ANY_HOST = "%";

/** The query for the accounts of these users, whatever host they are for. */
export function accountsQuery(usernames: readonly string[]): string {
  return `SELECT User AS user, Host AS host FROM mysql.user WHERE User IN (${binaryList(usernames)})`;
}

/** The accounts of these users. @throws StatementRefused when the administrator may not read `mysql.user`. */
export async function findAccounts(
  connection: Connection,
  usernames: readonly string[],
): Promise<readonly Account[]> {
  const [rows = []] = await connection.query(accountsQuery(usernames));
  return rows.map(({ user, host }) => ({ user: String(user), host: String(host) }));
}

/** The names of all users, those with every right left out, sorted. */
export async function userNames(connection: Connection): Promise<readonly string[]> {
  const [rows = []] = await connection.query(
    "SELECT DISTINCT User AS user FROM mysql.user WHERE Super_priv = 'N' ORDER BY User",
  );
  return rows.map(({ user }) => String(user));
}

/** Whom this session is logged in as, by the server's word. */
export async function currentAccount(connection: Connection): Promise<Account> {
  const [rows] = await connection.query("SELECT CURRENT_USER() AS me");
  const me = String(rows?.[0]?.me);
  const at = me.lastIndexOf("@");
  return { user: me.slice(0, at), host: me.slice(at + 1) };
}

/**
 * Which account a change of password is about: the administrator's own is the one it is logged in as; of another user's, the
 * one for any host, or the only one there is. Not found: the one for any host, which the server will then refuse.
 */
async function accountToChange(connection: Connection, username: string): Promise<Account> {
  const me = await currentAccount(connection);
  if (me.user === username) return me;
  const found = await findAccounts(connection, [username]);
  const [only] = found;
  const isOther = found.length === 1 && only !== undefined;
  return isOther ? only : { user: username, host: ANY_HOST };
}

/** The plugin's own statement that changes a user's password. */
export async function passwordStatement(
  connection: Connection,
  username: string,
  password: string,
): Promise<string> {
  const account = accountName(await accountToChange(connection, username));
  const hasEscapes = password.includes("\\") ? await readsEscapes(connection) : true;
  const text = literal(password, hasEscapes);
  const { isMariadb, version } = connection.server;
  // ALTER USER … IDENTIFIED BY came with MySQL 5.7.6 and MariaDB 10.2.
  const isOld = version < (isMariadb ? 100_200 : 50_706);
  return isOld
    ? `SET PASSWORD FOR ${account} = PASSWORD(${text})`
    : `ALTER USER ${account} IDENTIFIED BY ${text}`;
}

async function readsEscapes(connection: Connection): Promise<boolean> {
  const [rows] = await connection.query("SELECT @@SESSION.sql_mode AS mode");
  return !String(rows?.[0]?.mode).includes("NO_BACKSLASH_ESCAPES");
}
