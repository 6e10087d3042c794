/** Where the MariaDB and MySQL servers of the tests come from. */

import { existsSync } from "node:fs";
import { join } from "node:path";

export type MysqlFlavour = "MariaDB" | "MySQL";

/** Where scripts/install-test-mysql unpacks MySQL, with libraries of its own, since Debian's stable release has none. */
const MYSQL_ROOT = "/opt/vsec-test-mysql";
const MYSQL_LIBRARIES = join(MYSQL_ROOT, "usr", "lib", "x86_64-linux-gnu");
const MARIADB = "/usr/sbin/mariadbd";
const MARIADB_INSTALL = "/usr/bin/mariadb-install-db";

/** Why a server of this kind cannot run here; undefined when it can. */
export function mysqlMissing(flavour: MysqlFlavour): string | undefined {
  if (flavour === "MySQL") {
    return existsSync(join(MYSQL_ROOT, "usr", "sbin", "mysqld"))
      ? undefined
      : `no MySQL in ${MYSQL_ROOT} (scripts/install-test-mysql)`;
  }
  return existsSync(MARIADB) && existsSync(MARIADB_INSTALL)
    ? undefined
    : "no MariaDB installed (package mariadb-server)";
}

/** The start of the command line that runs the server. @throws when {@link mysqlMissing} has a reason. */
export function mysqlCommand(flavour: MysqlFlavour): readonly string[] {
  const reason = mysqlMissing(flavour);
  if (reason !== undefined) throw new Error(reason);
  if (flavour === "MariaDB") return [MARIADB, "--no-defaults"];
  const loader = join(MYSQL_LIBRARIES, "ld-linux-x86-64.so.2");
  return [
    ...[loader, "--library-path", MYSQL_LIBRARIES, join(MYSQL_ROOT, "usr", "sbin", "mysqld")],
    ...["--no-defaults", `--lc-messages-dir=${join(MYSQL_ROOT, "usr", "share", "mysql")}`],
    ...[
      `--plugin-dir=${join(MYSQL_ROOT, "usr", "lib", "mysql", "plugin")}`,
      "--mysqlx=OFF",
      "--secure-file-priv=NULL",
    ],
  ];
}

/** The command that makes an empty data folder, whose root needs no password. */
export function initialiseCommand(flavour: MysqlFlavour, data: string): readonly string[] {
  if (flavour === "MySQL") return [...mysqlCommand(flavour), "--initialize-insecure", `--datadir=${data}`];
  return [
    ...[MARIADB_INSTALL, "--no-defaults", `--datadir=${data}`, "--skip-test-db", "--skip-name-resolve"],
    "--auth-root-authentication-method=normal",
  ];
}
