import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withOptionFile } from "../../src/cli/run/mysql-clients.ts";
import { mysqlOptions } from "../../src/cli/run/mysql-login.ts";

const LOGIN = { username: "v-app", password: 'p"w\\x#y' };
const HOST = { MYSQL_HOST: "localhost", MYSQL_TCP_PORT: "3307", MYSQL_DATABASE: "d" };

describe("the option file of MySQL's clients", () => {
  test("tells them the protocol: for them the name localhost means a socket", () => {
    expect(mysqlOptions({ ...LOGIN, connection: { environment: HOST } })).toContain(
      'host="localhost"\nport="3307"\nprotocol=tcp\n',
    );
    const environment = { MYSQL_HOST: "localhost", MYSQL_UNIX_PORT: "/run/my.sock" };
    expect(mysqlOptions({ ...LOGIN, connection: { environment } })).toContain(
      'socket="/run/my.sock"\nprotocol=socket\n',
    );
  });

  test("has no place where none is known", () => {
    expect(mysqlOptions(LOGIN)).toBe('[client]\nuser="v-app"\npassword="p\\"w\\\\x#y"\n');
  });

  test.each([
    ["VERIFY_IDENTITY", "ssl-mode=VERIFY_IDENTITY\n[client-mariadb]\nssl\nssl-verify-server-cert=1\n"],
    ["VERIFY_CA", "ssl-mode=VERIFY_CA\n[client-mariadb]\nssl\nssl-verify-server-cert=1\n"],
    ["REQUIRED", "ssl-mode=REQUIRED\n[client-mariadb]\nssl\nssl-verify-server-cert=0\n"],
    ["PREFERRED", "ssl-mode=PREFERRED\n"],
  ])("says how TLS is used to either kind of client (%s)", (tlsMode, expected) => {
    expect(mysqlOptions({ ...LOGIN, connection: { environment: {}, tlsMode } })).toEndWith(expected);
  });

  const reader = spawnSync("my_print_defaults", ["--version"]).status === 0;
  test.skipIf(!reader)("is read as it was written (my_print_defaults)", () => {
    const directory = mkdtempSync(join(tmpdir(), "vsec-my-"));
    try {
      const connection = { environment: { ...HOST, MYSQL_HOST: "h" } };
      writeFileSync(join(directory, "my.cnf"), mysqlOptions({ ...LOGIN, connection }));
      const env = { PATH: process.env.PATH ?? "", MYSQL_HOME: directory };
      const { stdout } = spawnSync("my_print_defaults", ["client", "mysql"], { env, encoding: "utf8" });
      for (const line of [
        "--user=v-app",
        `--password=${LOGIN.password}`,
        "--host=h",
        "--port=3307",
        "--database=d",
      ])
        expect(stdout.split("\n")).toContain(line);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test.each([
    [
      ["mysql", "-e", "x"],
      ["mysql", "--defaults-file=/o", "-e", "x"],
    ],
    [["mysql"], ["mysql", "--defaults-file=/o"]],
    // Who names files has chosen them.
    [
      ["mysql", "--defaults-file=/mine"],
      ["mysql", "--defaults-file=/mine"],
    ],
    [
      ["mysql", "--no-defaults", "-e", "x"],
      ["mysql", "--no-defaults", "-e", "x"],
    ],
  ])("%j is told of it as %j", (argv, expected) => {
    expect(withOptionFile("/usr/bin/mysql", argv, "/o")).toEqual(expected);
    expect(withOptionFile("/usr/bin/env", argv, "/o")).toEqual(argv);
  });
});
