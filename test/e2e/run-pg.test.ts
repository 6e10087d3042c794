/** `vsec run -pg`, with PostgreSQL's own client, to a server with TLS. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { initDatabase, usersOn } from "./database.ts";
import { World } from "./world.ts";

const hasClient = spawnSync("psql", ["--version"]).status === 0;
const missing = postgresMissing(18) ?? (hasClient ? undefined : "no psql (package postgresql-client)");
const WHO = "SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
const PSQL = ["psql", "-XAtc", WHO];

describe.skipIf(missing !== undefined)(
  `vsec run -pg${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    const world = new World();
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres({ version: 18, tls: true });
      await initDatabase(world, server);
      const url = `postgresql://{{username}}:{{password}}@localhost:${server.port}/postgres?sslmode=verify-full`;
      await world.ok([
        "write",
        "database/config/pg",
        `connection_url=${url}`,
        `tls_ca=@${server.authority?.certFile}`,
      ]);
    });
    afterEach(async () => expect(await usersOn(server)).toEqual([]));
    afterAll(async () => {
      await server?.stop();
      await world.close();
    });

    const run = (command: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      world.run(["run", "-pg=database/creds/app", "--", ...command], { env });

    test("the client verifies the server as the connection does, whatever was set before", async () => {
      const ended = await run(PSQL, {
        PGSSLMODE: "disable",
        PGSSLROOTCERT: "/nowhere",
        PGHOSTADDR: "127.0.0.9",
      });
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" });
      expect(ended.stdout).toMatch(/^v-\S+\|t\n$/);
      const shown = await run(["sh", "-c", 'echo "$PGSSLMODE"; head -1 "$PGSSLROOTCERT"']);
      expect(shown.stdout).toBe("verify-full\n-----BEGIN CERTIFICATE-----\n");
    });

    test("a service of the user's does not win, with its user and its host", async () => {
      const file = world.file("services", "[mine]\nhost=none.invalid\nuser=somebody\npassword=else\n");
      const ended = await run(PSQL, { PGSERVICEFILE: file, PGSERVICE: "mine" });
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" });
    });

    test("a token that may read the role's credentials and nothing else is told the place too", async () => {
      world.file("creds.hcl", 'path "database/creds/app" { capabilities = ["read"] }');
      await world.ok("policy write creds creds.hcl");
      const token = await world.ok("token create -policy=creds -field=token");
      expect((await run(PSQL, { VSEC_TOKEN: token.trim() })).stdout).toMatch(/\|t\n$/);
    });

    test("-exec cannot have the file of the authorities, and says so; nothing is left", async () => {
      const ended = await world.run(["run", "-exec", "-pg=database/creds/app", "--", "true"]);
      expect(ended.code).toBe(1);
      expect(ended.stderr).toContain("-exec leaves nobody who could remove the file");
    });

    test("what is read besides is the same credential, without what was asked for the connection", async () => {
      const line = 'test "$D_USERNAME" = "$PGUSER" && env | grep -c ^D_';
      const ended = await world.run([
        ...["run", "-pg=database/creds/app", "-env=D=database/creds/app"],
        ...["--", "sh", "-c", line],
      ]);
      expect(ended.stdout).toBe("2\n");
    });
  },
);
