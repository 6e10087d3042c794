import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { initDatabase, logsIn, readCreds, usersOn } from "./database.ts";
import { World } from "./world.ts";

/** The clock so long after the issue of a lease of an hour. */
const after = (seconds: number, more: Readonly<Record<string, string>> = {}) => ({
  env: { VSEC_CLOCK_OFFSET_MS: String(seconds * 1000), ...more },
});

describe.skipIf(postgresMissing(18) !== undefined)("without a daemon", () => {
  const world = new World("vsec-failpoints");
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version: 18, settings: { synchronous_commit: "on" } });
    await initDatabase(world, server);
  });
  afterAll(async () => {
    await server?.stop();
    world.remove();
  });

  test("an overdue lease is ended by the next command, whatever it is for", async () => {
    const { lease_id, data } = await readCreds(world);
    // A daemon would need a moment too: what has only just expired is left to it.
    for (const seconds of [1, 3600]) await world.ok("secrets list", after(seconds));
    await world.ok("secrets list", after(3700, { VSEC_SWEEP: "off" }));
    expect(await usersOn(server)).toEqual([data.username]);
    const { code, stdout, stderr } = await world.run("secrets list", after(3700));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toStartWith("Path ");
    expect(await usersOn(server)).toEqual([]);
    expect((await world.run(`lease lookup ${lease_id}`)).code).toBe(2);
  });

  test("a static password that is shown stays in force, though its rotation was overdue", async () => {
    await server.query("CREATE ROLE billing LOGIN PASSWORD 'initial'");
    const { data } = await world.json<{ data: { connection_details: { username: string } } }>(
      "read database/config/pg",
    );
    await server.query(`GRANT billing TO "${data.connection_details.username}" WITH ADMIN OPTION`);
    await world.ok("write database/static-roles/billing db_name=pg username=billing rotation_period=1h");
    const read = "read -field=password database/static-creds/billing";
    const first = await world.ok(read);
    const password = await world.ok(read, after(3700));
    expect(password).not.toBe(first);
    expect(await logsIn(server, { username: "billing", password })).toBe(true);
    // And any other command rotates what is overdue.
    await world.ok("secrets list", after(2 * 3700));
    expect(await logsIn(server, { username: "billing", password })).toBe(false);
    await world.ok("delete database/static-roles/billing");
  });

  test("a command whose sweep fails has its answer, and the lease stays due", async () => {
    const { data } = await readCreds(world);
    await server.halt();
    expect(await world.run("list database/roles", after(3700))).toMatchObject({
      code: 0,
      stdout: "Keys\n----\napp\n",
      stderr: "",
    });
    await server.resume();
    expect(await usersOn(server)).toEqual([data.username]);
    await world.ok("list database/roles", after(7200));
    expect(await usersOn(server)).toEqual([]);
  });
});
