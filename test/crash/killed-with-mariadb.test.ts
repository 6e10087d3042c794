/** What the kills against PostgreSQL do not pass: the steps of the plugin for MariaDB, and what its commits by themselves mean. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readCreds } from "../e2e/database.ts";
import { addMariadbRole, initMariadb, mariadbUsers } from "../e2e/mariadb.ts";
import { type Ended, World } from "../e2e/world.ts";
import { type MysqlServer, mysqlMissing, startMysql } from "../servers/mysql.ts";
import { RECOVERY_MS } from "./arena.ts";

setDefaultTimeout(60_000);
const missing = mysqlMissing("MariaDB");

describe.skipIf(missing !== undefined)(
  `with MariaDB${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    const world = new World("vsec-failpoints", { VSEC_SWEEP: "off" });
    let server: MysqlServer;
    let count = 0;
    beforeAll(async () => {
      server = await startMysql({ flavour: "MariaDB" });
      await initMariadb(world, server);
    });
    afterAll(async () => {
      await server?.stop();
      await world.close();
    });

    /** A role that no other test uses. */
    const newRole = async (): Promise<string> => {
      count += 1;
      await addMariadbRole(world, `r${count}`);
      return `r${count}`;
    };
    const kill = async (line: string, failpoint: string): Promise<void> => {
      const { signal } = await world.run(line, { env: { VSEC_FAILPOINT: failpoint } });
      expect(signal).toBe("SIGKILL");
    };
    const daemonAfter = (ms: number): Promise<Ended> =>
      world.run("daemon -once -log-level=warn", { env: { VSEC_CLOCK_OFFSET_MS: String(ms) } });
    const recover = async (): Promise<void> => {
      for (const ms of [RECOVERY_MS, 2 * RECOVERY_MS]) {
        expect(await daemonAfter(ms)).toMatchObject({ code: 0, stderr: "" });
      }
    };
    /** The exit code of a listing: 2 when there is none. */
    const leases = async (role: string): Promise<number | null> => {
      const { code } = await world.run(`list -format=json sys/leases/lookup/database/creds/${role}`);
      return code;
    };

    test.each(["issue:pending", "creds:user-created", "issue:created"])(
      "an issue killed at %s leaves no user without a lease, and nothing that does not end",
      async (failpoint) => {
        const role = await newRole();
        await kill(`read database/creds/${role}`, failpoint);
        for (const user of await mariadbUsers(server, role)) await world.ok(`lease lookup ${user}`);
        await recover();
        expect(await mariadbUsers(server, role)).toEqual([]);
        expect(await leases(role)).toBe(2);
      },
    );

    test.each(["revoke-prefix:due", "drop-users:dropped", "drop-users:sessions-ended", "revoke:gone"])(
      "a revocation by prefix killed at %s goes on where it was, by the same command or by the daemon",
      async (failpoint) => {
        for (const goOn of ["command", "daemon"]) {
          const role = await newRole();
          for (const _ of [1, 2]) await readCreds(world, `database/creds/${role}`);
          const line = `lease revoke -sync -prefix database/creds/${role}`;
          await kill(line, failpoint);
          if (goOn === "command") await world.ok(line);
          else await recover();
          expect(await mariadbUsers(server, role)).toEqual([]);
          expect(await leases(role)).toBe(2);
        }
      },
    );

    describe.each(["write -force database/preflight/my", "write database/config/my max_open_connections=3"])(
      "`%s`",
      (line) => {
        const probes = async () => (await server.users()).filter((user) => user.startsWith("v-preflight-"));

        test.each([
          ["preflight:recorded", 0],
          ["preflight:made", 1],
          ["preflight:dropped", 0],
        ])("killed at %s leaves no user of its own once a daemon has looked", async (failpoint, left) => {
          await kill(line, failpoint);
          expect((await probes()).length).toBe(left);
          await recover();
          expect(await probes()).toEqual([]);
          // Nothing is left to be done, and the connection is of use.
          await world.ok(line);
          await readCreds(world, `database/creds/${await newRole()}`);
        });
      },
    );

    test.each(["rotate-root:recorded", "rotate-root:changed", "rotate-root:proved"])(
      "a rotation of the root password killed at %s leaves it known",
      async (failpoint) => {
        const role = await newRole();
        await kill("write -force database/rotate-root/my", failpoint);
        await readCreds(world, `database/creds/${role}`);
        expect(await daemonAfter(3 * RECOVERY_MS)).toMatchObject({ code: 0, stderr: "" });
        await readCreds(world, `database/creds/${role}`);
        await world.ok(`lease revoke -sync -prefix database/creds/${role}`);
        await daemonAfter(6 * RECOVERY_MS);
      },
    );
  },
);
