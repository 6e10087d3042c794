import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type MysqlLogin, type MysqlServer, mysqlMissing, startMysql } from "../servers/mysql.ts";
import { until } from "../servers/process.ts";
import { readCreds } from "./database.ts";
import { addMariadbRole, initMariadb, mariadbUsers } from "./mariadb.ts";
import { World } from "./world.ts";

setDefaultTimeout(60_000);
const missing = mysqlMissing("MariaDB");

describe.skipIf(missing !== undefined)(
  `a session against MariaDB${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    const world = new World();
    let server: MysqlServer;
    let admin: MysqlLogin;
    beforeAll(async () => {
      server = await startMysql({ flavour: "MariaDB" });
      admin = await initMariadb(world, server);
      await addMariadbRole(world, "app");
    });
    afterAll(async () => {
      await server?.stop();
      await world.close();
    });

    test("a credential logs in, is renewed, and ends with its session when it is revoked", async () => {
      const { lease_id, data } = await readCreds(world);
      const client = await server.connect({ user: data.username, password: data.password });
      await client.query("SELECT COUNT(*) FROM app.items");
      expect(await world.ok(`lease renew -increment=2h ${lease_id}`)).toMatch(/lease_duration +2h\n/);
      expect(await world.ok(`lease lookup -format=json ${data.username}`)).toContain(lease_id);
      expect(await world.ok(`lease revoke -sync ${lease_id}`)).toBe(`Success! Revoked lease: ${lease_id}\n`);
      await until("the session to be over", () =>
        client.query("SELECT 1").then(
          () => false,
          () => true,
        ),
      );
      expect(await mariadbUsers(server, "app")).toEqual([]);
      await world.ok(`lease revoke -sync ${lease_id}`);
    });

    test("statements that the server refuses end in its words, and leave nothing", async () => {
      const create =
        "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'; GRANT FLYING ON app.* TO '{{name}}'@'%'";
      await world.ok(["write", "database/roles/broken", "db_name=my", `creation_statements=${create}`]);
      const { code, stderr } = await world.run("read database/creds/broken");
      expect(code).toBe(2);
      expect(stderr).toContain('role "broken", connection "my": statement 2 of 2 failed: ');
      expect(stderr).toContain("(error 1064)");
      expect(await mariadbUsers(server, "broken")).toEqual([]);
    });

    test("after a rotation of the root password only vsec can log in", async () => {
      expect(await world.ok("write -force database/rotate-root/my")).toBe(
        "Success! Data written to: database/rotate-root/my\n",
      );
      expect(server.connect({ user: admin.username, password: admin.password })).rejects.toThrow(
        "Access denied",
      );
      await readCreds(world);
      await world.ok("lease revoke -sync -prefix database/creds/app");
      expect(await mariadbUsers(server, "app")).toEqual([]);
    });
  },
);
