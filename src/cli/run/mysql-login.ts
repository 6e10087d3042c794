import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemAuthorities } from "../../platform/system-authorities.ts";
import type { Credentials, LoginConnection } from "./credentials.ts";
import type { Gathered } from "./gifts.ts";
import { clientPrograms, clientScript, wholeOptionFile } from "./mysql-clients.ts";

const OPTION_FILE = "my.cnf";
const AUTHORITIES_FILE = "mysql-ca.pem";
const CLIENTS_FILE = "clients.cnf";
/** No file has this name: MySQL's clients would take what `~/.mylogin.cnf` says over all other files. */
const NO_LOGIN_FILE = "no-login-file";
/** What stands behind the names of groups that are read besides: MySQL's own clients', and nobody's. */
const MYSQL_GROUPS = "-vsec";
const MARIADB_GROUPS = "-vsec-mariadb";

/** A login, and how to connect with it. */
export interface MysqlLogin {
  readonly username: string;
  readonly password: string;
  readonly connection?: LoginConnection;
  /** The path of a file with those who vouch for the server. Absent: nobody is asked. */
  readonly authoritiesFile?: string;
}

/**
 * Variables and an option file for MySQL's and MariaDB's clients. They read no user name from the environment, and look for
 * `my.cnf` in `MYSQL_HOME`. After that they read `~/.my.cnf`, which would win; nothing in the environment keeps them from it.
 * So where that file is there, each client is found as a script which names the files, ours the last.
 * @see MySQL's manual, "Using Option Files"; MariaDB's, "Configuring MariaDB with Option Files".
 */
export async function giveMysql(path: string, credentials: Credentials, to: Gathered): Promise<void> {
  const { connection } = await credentials.readLogin(path);
  const login = {
    username: await credentials.value({ path, field: "username" }),
    password: await credentials.value({ path, field: "password" }),
    ...(connection === undefined ? {} : { connection, ...authoritiesOf(connection, to) }),
  };
  to.files[OPTION_FILE] = mysqlOptions(login);
  Object.assign(to.variables, {
    ...(connection === undefined ? {} : { MYSQL_UNIX_PORT: undefined, MARIADB_UNIX_PORT: undefined }),
    ...connection?.environment,
    MYSQL_USER: login.username,
    MYSQL_PWD: login.password,
    MYSQL_HOME: to.directory(),
    // It would be read in the place of the one above.
    MARIADB_HOME: undefined,
    MYSQL_TEST_LOGIN_FILE: join(to.directory(), NO_LOGIN_FILE),
    MYSQL_GROUP_SUFFIX: MYSQL_GROUPS,
    MARIADB_GROUP_SUFFIX: MARIADB_GROUPS,
  });
  outrankPersonalFile(to);
}

function authoritiesOf(connection: LoginConnection, to: Gathered): { readonly authoritiesFile?: string } {
  if (connection.tlsMode?.startsWith("VERIFY_") !== true) return {};
  if (connection.authorities === undefined) {
    const file = systemAuthorities();
    return file === undefined ? {} : { authoritiesFile: file };
  }
  to.files[AUTHORITIES_FILE] = connection.authorities;
  return { authoritiesFile: join(to.directory(), AUTHORITIES_FILE) };
}

function outrankPersonalFile(to: Gathered): void {
  const personal = join(to.env.HOME ?? "/", ".my.cnf");
  if (!existsSync(personal)) return;
  const directory = to.directory();
  const optionFile = join(directory, CLIENTS_FILE);
  to.files[CLIENTS_FILE] = wholeOptionFile(personal, join(directory, OPTION_FILE));
  to.optionFile = optionFile;
  const searchPath = to.variables.PATH ?? to.env.PATH ?? "";
  for (const [name, program] of clientPrograms(searchPath))
    to.programs[name] = clientScript(program, optionFile);
}

/** The option file: the groups of all clients, and what MySQL's and MariaDB's name differently. */
export function mysqlOptions({ username, password, connection, authoritiesFile }: MysqlLogin): string {
  const { MYSQL_HOST, MYSQL_TCP_PORT, MYSQL_UNIX_PORT, MYSQL_DATABASE } = connection?.environment ?? {};
  const place =
    MYSQL_UNIX_PORT === undefined
      ? // Without the protocol, "localhost" would mean the socket of whatever server runs here.
        [option("host", MYSQL_HOST), option("port", MYSQL_TCP_PORT), MYSQL_HOST && "protocol=tcp"]
      : [option("socket", MYSQL_UNIX_PORT), "protocol=socket"];
  const lines = [
    "[client]",
    option("user", username),
    option("password", password),
    ...place,
    option("ssl-ca", authoritiesFile),
    ...tlsGroups(connection?.tlsMode),
    ...(MYSQL_DATABASE === undefined ? [] : ["[mysql]", option("database", MYSQL_DATABASE)]),
  ];
  return `${lines.filter((line) => line !== undefined && line !== "").join("\n")}\n`;
}

function option(name: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `${name}="${value.replace(/[\\"]/g, "\\$&")}"`;
}

/** Neither kind of client knows the other's options, nor reads the other's group. */
function tlsGroups(mode: string | undefined): readonly string[] {
  if (mode === undefined) return [];
  const mysql = [`[client${MYSQL_GROUPS}]`, `ssl-mode=${mode}`];
  if (mode === "PREFERRED") return mysql;
  const verifies = mode.startsWith("VERIFY_") ? "1" : "0";
  return [...mysql, "[client-mariadb]", "ssl", `ssl-verify-server-cert=${verifies}`];
}
