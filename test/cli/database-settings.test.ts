import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  databasePlace,
  mysqlOptions,
  mysqlVariables,
  postgresVariables,
} from "../../src/cli/run/database-settings.ts";

const LOGIN = { username: "v-app", password: 'p"w\\x#y' };

describe("the place of a database", () => {
  test.each([
    [
      "postgresql://{{username}}:{{password}}@db.example:5433/app?sslmode=verify-full",
      { host: "db.example", port: "5433", database: "app", sslmode: "verify-full" },
    ],
    ["postgres://{{username}}:{{password}}@[::1]/", { host: "::1" }],
    [
      "postgresql://{{username}}:{{password}}@/app?host=/run/postgresql&port=5432",
      { host: "/run/postgresql", port: "5432", database: "app" },
    ],
    [
      "host=db port=5432 dbname='my app' user={{username}} password={{password}}",
      { host: "db", port: "5432", database: "my app" },
    ],
    [
      "{{username}}:{{password}}@tcp(db.example:3306)/app?tls=true",
      { host: "db.example", port: "3306", database: "app" },
    ],
    ["{{username}}:{{password}}@tcp(127.0.0.1:3306)/", { host: "127.0.0.1", port: "3306" }],
    ["{{username}}:{{password}}@tcp(a:3307,b)/app", { host: "a", port: "3307", database: "app" }],
    ["{{username}}:{{password}}@tcp(localhost)/", { host: "localhost", port: "3306" }],
    ["{{username}}:{{password}}@tcp([::1]:3307)/", { host: "::1", port: "3307" }],
    ["{{username}}:{{password}}@unix(/run/my.sock)/app", { socket: "/run/my.sock", database: "app" }],
    [
      "postgresql://{{username}}:{{password}}@a:5433,[::1]/app?sslmode=require",
      { host: "a,::1", port: "5433,5432", database: "app", sslmode: "require" },
    ],
    ["what nobody can read", {}],
  ])("%s", (url, expected) => {
    expect(databasePlace(url)).toEqual(expected);
  });

  test("becomes the variables of the database's own clients; what is not known is left to others", () => {
    expect(postgresVariables(LOGIN, { host: "h", sslmode: "require" })).toEqual({
      PGHOST: "h",
      PGUSER: "v-app",
      PGPASSWORD: LOGIN.password,
      PGSSLMODE: "require",
    });
    expect(mysqlVariables(LOGIN, { host: "h", port: "1", database: "d" })).toEqual({
      MYSQL_HOST: "h",
      MYSQL_TCP_PORT: "1",
      MYSQL_USER: "v-app",
      MYSQL_PWD: LOGIN.password,
      MYSQL_DATABASE: "d",
    });
  });

  test("what would lead to another server is taken away, where the place is known", () => {
    expect(postgresVariables(LOGIN, { host: "h" })).toStrictEqual({
      PGHOST: "h",
      PGPORT: undefined,
      PGHOSTADDR: undefined,
      PGSERVICE: undefined,
      PGUSER: "v-app",
      PGPASSWORD: LOGIN.password,
    });
    expect(postgresVariables(LOGIN, {})).toStrictEqual({ PGUSER: "v-app", PGPASSWORD: LOGIN.password });
  });

  test("MySQL's clients are told the protocol: for them the name localhost means a socket", () => {
    expect(mysqlOptions(LOGIN, { host: "localhost", port: "3307" })).toContain(
      'host="localhost"\nprotocol=tcp\nport=3307\n',
    );
    const socket = { socket: "/run/my.sock" };
    expect(mysqlOptions(LOGIN, socket)).toContain('socket="/run/my.sock"\nprotocol=socket\n');
    expect(mysqlVariables(LOGIN, socket)).toMatchObject({
      MYSQL_HOST: "localhost",
      MYSQL_UNIX_PORT: "/run/my.sock",
    });
  });

  const reader = spawnSync("my_print_defaults", ["--version"]).status === 0;
  test.skipIf(!reader)("is read from the option file as it was written (my_print_defaults)", () => {
    const directory = mkdtempSync(join(tmpdir(), "vsec-my-"));
    try {
      const place = { host: "h", port: "3307", database: "d" };
      writeFileSync(join(directory, "my.cnf"), mysqlOptions(LOGIN, place));
      const env = { PATH: process.env.PATH ?? "", MYSQL_HOME: directory };
      const { stdout } = spawnSync("my_print_defaults", ["client", "mysql"], {
        env,
        encoding: "utf8",
      });
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
});
