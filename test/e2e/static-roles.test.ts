/** Passwords that are replaced, by commands and by the daemon, as a person sees it. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import pg from "pg";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { until } from "../servers/process.ts";
import { initDatabase, logsIn } from "./database.ts";
import { World } from "./world.ts";

setDefaultTimeout(60_000);

describe.skipIf(postgresMissing(18) !== undefined)("static roles, from the command line", () => {
  const world = new World();
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    const admin = await server.createAdmin("superuser");
    await initDatabase(world, server, { admin });
    for (const name of ["app", "quick"]) await server.query(`CREATE ROLE ${name} LOGIN PASSWORD 'initial'`);
  });
  afterAll(async () => {
    await world.close();
    await server?.stop();
  });

  const password = async (role: string): Promise<string> =>
    world.ok(`read -field=password database/static-creds/${role}`);
  const works = (username: string, secret: string): Promise<boolean> =>
    logsIn(server, { username, password: secret });

  test("a password policy is written, and makes passwords", async () => {
    world.file("pins.hcl", 'length = 12\nrule "charset" {\n  charset = "0123456789"\n  min-chars = 1\n}\n');
    expect(await world.ok("write sys/policies/password/pins policy=@pins.hcl")).toBe(
      "Success! Data written to: sys/policies/password/pins\n",
    );
    expect(await world.ok("read -field=password sys/policies/password/pins/generate")).toMatch(/^\d{12}$/);
    expect(await world.run("write sys/policies/password/pins policy=nonsense")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("invalid password policy: "),
    });
  });

  test("a user is taken under rotation, with a password by the policy, and rotated by hand", async () => {
    const config = "credential_config=password_policy=pins";
    await world.ok(
      `write database/static-roles/app-user db_name=pg username=app rotation_period=24h ${config}`,
    );
    const first = await password("app-user");
    expect(first).toMatch(/^\d{12}$/);
    expect([await works("app", "initial"), await works("app", first)]).toEqual([false, true]);
    await world.ok("write -force database/rotate-role/app-user");
    const second = await password("app-user");
    expect([await works("app", first), await works("app", second)]).toEqual([false, true]);
    expect(await world.run("write -force database/rotate-role/none")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("* no static role found for role name"),
    });
  });

  test("several who rotate it at the same moment do not lock the user out", async () => {
    const before = await password("app-user");
    const line = "write -force database/rotate-role/app-user";
    const ended = await Promise.all(Array.from({ length: 5 }, () => world.run(line)));
    const refused = ended.filter(({ code }) => code !== 0);
    expect(refused.length).toBeLessThan(5);
    for (const { code, stderr } of refused) {
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringContaining("is under way; try again"),
      });
    }
    const after = await password("app-user");
    expect([await works("app", before), await works("app", after)]).toEqual([false, true]);
  });

  test("the daemon replaces a password when it is due", async () => {
    await world.ok("write database/static-roles/quick-user db_name=pg username=quick rotation_period=5s");
    const first = await password("quick-user");
    const daemon = await world.daemon();
    await until("the password is another one", async () => (await password("quick-user")) !== first);
    daemon.kill("SIGTERM");
    const { stderr } = await daemon.ended;
    expect(stderr).toContain("a static role was rotated");
    const last = await password("quick-user");
    expect([await works("quick", first), await works("quick", last)]).toEqual([false, true]);
    expect(stderr).not.toContain(first);
    expect(stderr).not.toContain(last);
    await world.ok("delete database/static-roles/quick-user");
  });

  test("credentials come with a URL when asked for, and it connects", async () => {
    const url = await world.ok("read -field=connection_url database/creds/app connection=true");
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query("SELECT current_user::text AS name");
    await client.end();
    expect(rows[0]?.name).toMatch(/^v-root-app-/);
  });

  test("the preflight and the reconciliation of a connection answer", async () => {
    expect(await world.ok("write -field=ready database/preflight/pg role=app")).toBe("true");
    const stray = "v-root-app-ABCDEFGHIJKLMNOPQRST-1700000000";
    await server.query(`CREATE ROLE "${stray}" LOGIN`);
    expect(await world.json<{ data: unknown }>("read database/reconcile/pg")).toMatchObject({
      data: { known: 1, unknown: [stray] },
    });
    expect(await world.json<{ data: unknown }>("write database/reconcile/pg force=true")).toMatchObject({
      data: { failed: {}, removed: [stray] },
    });
  });
});
