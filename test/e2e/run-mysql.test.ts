// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the shell writes its variables like this.
/** `vsec run -mysql`, with MariaDB's own client. */

import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type MysqlLogin, type MysqlServer, mysqlMissing, startMysql } from "../servers/mysql.ts";
import { addMariadbRole, initMariadb, mariadbUsers } from "./mariadb.ts";
import { World } from "./world.ts";

setDefaultTimeout(60_000);
const hasClient = spawnSync("mariadb", ["--version"]).status === 0;
const missing = mysqlMissing("MariaDB") ?? (hasClient ? undefined : "no mariadb (package mariadb-client)");
const CLIENT = spawnSync("sh", ["-c", "command -v mariadb"], { encoding: "utf8" }).stdout.trim();
const WHO = ["mariadb", "-BNe", "SELECT CURRENT_USER(), @@port, DATABASE()"];

describe.skipIf(missing !== undefined)(
  `vsec run -mysql${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    const world = new World();
    let server: MysqlServer;
    let admin: MysqlLogin;
    beforeAll(async () => {
      server = await startMysql({ flavour: "MariaDB", tls: true });
      admin = await initMariadb(world, server);
      await addMariadbRole(world, "app");
    });
    afterEach(async () => expect(await mariadbUsers(server, "app")).toEqual([]));
    afterAll(async () => {
      await server?.stop();
      await world.close();
    });

    const moveTo = (address: string, more = ""): Promise<string> =>
      world.ok(
        `write database/config/my plugin_name=mysql-database-plugin allowed_roles=* connection_url={{username}}:{{password}}@${address}/app username=${admin.username} password=-${more}`,
        { stdin: admin.password },
      );
    const run = (command: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      world.run(["run", "-mysql=database/creds/app", "--", ...command], { env });

    test.each(["127.0.0.1", "localhost"])("the client reaches the server at %s by TCP", async (host) => {
      await moveTo(`tcp(${host}:${server.port})`);
      const ended = await run(WHO, { MYSQL_UNIX_PORT: "/nowhere", MYSQL_TCP_PORT: "1" });
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" });
      expect(ended.stdout).toMatch(new RegExp(`^v-root-app-\\S+@%\t${server.port}\tapp\n$`));
    });

    test("the client reaches the server by its socket", async () => {
      await moveTo(`unix(${server.socketPath})`);
      const ended = await run(WHO);
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" });
      expect(ended.stdout).toMatch(/^v-root-app-/);
      await moveTo(`tcp(127.0.0.1:${server.port})`);
    });

    test("the variables say the same, and the option file is gone with the command", async () => {
      const line =
        'echo "$MYSQL_HOST $MYSQL_TCP_PORT $MYSQL_DATABASE ${#MYSQL_PWD} $MYSQL_HOME"; stat -c %a "$MYSQL_HOME/my.cnf"; cat "$MYSQL_HOME/my.cnf"';
      const { code, stdout } = await run(["sh", "-c", line]);
      expect(code).toBe(0);
      const [, home = ""] = /^127\.0\.0\.1 \d+ app 20 (\S+)\n600\n/.exec(stdout) ?? [];
      expect(stdout).toContain('password="********"\n');
      expect(spawnSync("test", ["-e", home]).status).toBe(1);
    });

    describe("with a ~/.my.cnf, which clients read last", () => {
      const OWN = "[client]\nuser=somebody\npassword=else\nhost=none.invalid\n[mysql]\nsilent\n";
      const personal = (): string => join(world.home, ".my.cnf");
      beforeAll(() => world.file(".my.cnf", OWN));
      afterAll(() => rmSync(personal()));

      test.each([
        ["by itself", WHO],
        ["by its path", [CLIENT, ...WHO.slice(1)]],
        ["in a script", ["sh", "-c", `mariadb -Ne '${WHO.at(-1)}'`]],
      ])("the client logs in as the leased user: %s", async (_, command) => {
        const ended = await run(command);
        expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" });
        expect(ended.stdout).toMatch(new RegExp(`^v-root-app-\\S+@%\t${server.port}\tapp\n$`));
      });

      test("whoever names an option file gets it", async () => {
        const ended = await run(["mariadb", `--defaults-file=${personal()}`, "-e", "SELECT 1"]);
        expect(ended.code).toBe(1);
        expect(ended.stderr).toContain("none.invalid");
      });

      test("neither groups nor a folder of the user's win", async () => {
        const line = 'echo "[$MARIADB_HOME]"; mariadb --print-defaults | tail -1';
        const { stdout } = await run(["sh", "-c", line], { MARIADB_HOME: "/etc", MYSQL_GROUP_SUFFIX: "_x" });
        expect(stdout).toStartWith("[]\n");
        expect(stdout).toMatch(/--user=somebody .*--user=v-root-app-/);
      });
    });

    test("the client uses TLS as the connection does, and knows the server's authority", async () => {
      const SSL = "SHOW STATUS LIKE 'Ssl_version'";
      const certificate = ` tls_ca=@${server.authority.certFile}`;
      await moveTo(`tcp(localhost:${server.port})`, certificate);
      const ended = await run(["mariadb", "-BNe", SSL]);
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" });
      expect(ended.stdout).toMatch(/^Ssl_version\tTLSv/);
      const { stdout } = await run(["mariadb", "--print-defaults"]);
      expect(stdout).toMatch(/--ssl-ca=\S+mysql-ca.pem --ssl --ssl-verify-server-cert=1/);
      expect(stdout).not.toContain("ssl-mode");
      await moveTo(`tcp(127.0.0.1:${server.port})`, " tls_ca=");
    });

    test("a token that may read the role's credentials and nothing else is told the place too", async () => {
      world.file("creds.hcl", 'path "database/creds/app" { capabilities = ["read"] }');
      await world.ok("policy write creds creds.hcl");
      const token = await world.ok("token create -policy=creds -field=token");
      const ended = await run(WHO, { VSEC_TOKEN: token.trim() });
      expect(ended.stdout).toMatch(new RegExp(`\t${server.port}\tapp\n$`));
    });

    test("the client's own failure is the exit code", async () => {
      const ended = await run(["mariadb", "-e", "SELECT * FROM app.absent"]);
      expect(ended.code).toBe(1);
      expect(ended.stderr).toContain("ERROR 1146");
    });
  },
);
