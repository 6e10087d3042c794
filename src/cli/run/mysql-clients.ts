import { basename } from "node:path";
import { findProgram } from "../../platform/child/program.ts";
import { shellQuote } from "./dotenv.ts";

/** The clients of MySQL and MariaDB that read option files and connect to a server. */
const CLIENTS: readonly string[] = [
  ...["mysql", "mysqldump", "mysqladmin", "mysqlimport", "mysqlshow", "mysqlcheck", "mysqlslap"],
  ...["mysqlbinlog", "mysqlpump", "mysql_upgrade"],
  ...["mariadb", "mariadb-dump", "mariadb-admin", "mariadb-import", "mariadb-show", "mariadb-check"],
  ...["mariadb-slap", "mariadb-binlog", "mariadb-upgrade"],
];

/** First arguments with which a client was told which files to read: then it is to read those. */
const NAMES_FILES = /^--(?:no-defaults$|defaults-(?:file|extra-file)(?:=|$))/;

/** Files that the clients read wherever they were built; those that are not there are passed over. */
const SYSTEM_FILES = [
  "/etc/my.cnf",
  "/etc/mysql/my.cnf",
  "/usr/local/etc/my.cnf",
  "/opt/homebrew/etc/my.cnf",
];

/** The clients that are found in a search path: names and paths. */
export function clientPrograms(searchPath: string): readonly (readonly [name: string, path: string])[] {
  return CLIENTS.flatMap((name) => {
    const found = findProgram(name, searchPath);
    return "path" in found ? [[name, found.path] as const] : [];
  });
}

/** An option file with all that the clients would read by themselves, and what is to win at its end. */
export function wholeOptionFile(personal: string, winning: string): string {
  return [...SYSTEM_FILES, personal, winning].map((path) => `!include ${path}\n`).join("");
}

/** A script that is a client which reads this option file in the place of all others. */
export function clientScript(program: string, optionFile: string): string {
  return [
    "#!/bin/sh",
    'case "$1" in',
    `  --no-defaults | --defaults-file | --defaults-file=* | --defaults-extra-file | --defaults-extra-file=*) exec ${shellQuote(program)} "$@" ;;`,
    "esac",
    `exec ${shellQuote(program)} --defaults-file=${shellQuote(optionFile)} "$@"`,
    "",
  ].join("\n");
}

/** A command's arguments, with the option file named where it is a client. @param argv - The name it is called by first. */
export function withOptionFile(file: string, argv: readonly string[], optionFile: string): readonly string[] {
  const [name = file, ...rest] = argv;
  if (!CLIENTS.includes(basename(file)) || NAMES_FILES.test(rest[0] ?? "")) return argv;
  return [name, `--defaults-file=${optionFile}`, ...rest];
}
