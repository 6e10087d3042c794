import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { pooled } from "../crash/pool.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { until } from "../servers/process.ts";
import { addDatabase, initDatabase, readCreds, usersOn } from "./database.ts";
import { World } from "./world.ts";

const LEASES = 200;
/** Beyond the end of a lease of an hour. */
const LATER = { VSEC_CLOCK_OFFSET_MS: String(3700_000) };

describe.skipIf(postgresMissing(18) !== undefined)("the daemon", () => {
  let server: PostgresServer;
  const worlds: World[] = [];
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
  });
  afterAll(async () => {
    await server?.stop();
    for (const world of worlds) world.remove();
  });

  async function newWorld(roles: Readonly<Record<string, string>>): Promise<World> {
    const world = new World("vsec-failpoints");
    worlds.push(world);
    await initDatabase(world, server, { roles });
    return world;
  }

  const isGone = (user: string) => async (): Promise<boolean> => !(await usersOn(server)).includes(user);

  test("ends a lease when it expires, and stops cleanly on SIGTERM", async () => {
    const world = await newWorld({ brief: "2s" });
    const daemon = await world.daemon();
    const { lease_id, data } = await readCreds(world, "database/creds/brief");
    expect(await usersOn(server)).toContain(data.username);
    await until("the user to be dropped", isGone(data.username));
    await until("the daemon to say so", () => daemon.stderr().includes(`lease ended: lease=${lease_id}`));
    expect((await world.run(`lease lookup ${lease_id}`)).code).toBe(2);
    daemon.kill("SIGTERM");
    const { code, signal, stdout, stderr } = await daemon.ended;
    expect({ code, signal, stdout }).toEqual({ code: 0, signal: null, stdout: "" });
    expect(stderr).not.toContain(data.password);
    expect(stderr.trimEnd()).toEndWith("stopped");
  });

  test("with -once does what is due and ends", async () => {
    const world = await newWorld({ app: "1h" });
    const [first, second] = [await readCreds(world), await readCreds(world)];
    expect((await world.run("daemon -once")).stderr).toContain("done=0 failed=0");
    expect(await usersOn(server)).toContain(first.data.username);
    const later = await world.run("daemon -once", { env: LATER });
    expect(later).toMatchObject({ code: 0, stdout: "" });
    expect(later.stderr).toContain("done=2 failed=0");
    const users = await usersOn(server);
    expect([first, second].filter(({ data }) => users.includes(data.username))).toEqual([]);
  });

  test("says what it misses where there is no store", async () => {
    const world = new World();
    worlds.push(world);
    for (const line of ["daemon -no-listen", "daemon -once"]) {
      const { code, stdout, stderr } = await world.run(line);
      expect({ isFailure: code !== 0, stdout }).toEqual({ isFailure: true, stdout: "" });
      expect(stderr).toContain("run 'vsec operator init' to create one");
    }
  });

  test.each([
    [
      "-log-level=loud",
      "loud is an unknown log level. Valid log levels are: [trace debug info warn error]\n",
    ],
    ["-log-format=xml", "xml is an unknown log format. Valid log formats are: [standard json]\n"],
  ])("refuses %s", async (flag, stderr) => {
    const world = new World();
    worlds.push(world);
    expect(await world.run(`daemon ${flag}`)).toMatchObject({ code: 1, stdout: "", stderr });
  });

  /** A session that uses the role, so that nobody can drop it before it has ended. */
  async function holdRole(user: string): Promise<{ release(): Promise<void> }> {
    const holder = await server.connect();
    await holder.query(`BEGIN; CREATE TEMPORARY TABLE held (); GRANT SELECT ON held TO "${user}"`);
    return { release: () => holder.end() };
  }

  async function isDropWaiting(user: string): Promise<boolean> {
    const rows = await server.query(
      "SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'",
      [user],
    );
    return rows.length > 0;
  }

  test("told to stop in the middle of a revocation, finishes it", async () => {
    const world = await newWorld({ app: "1h" });
    const { lease_id, data } = await readCreds(world);
    const held = await holdRole(data.username);
    const daemon = await world.daemon({ env: LATER });
    await until("the drop to wait", () => isDropWaiting(data.username));
    daemon.kill("SIGTERM");
    await until("the daemon to know", () => daemon.stderr().includes("finishing what is under way"));
    await held.release();
    expect(await daemon.ended).toMatchObject({ code: 0, signal: null });
    expect(await usersOn(server)).not.toContain(data.username);
    expect((await world.run(`lease lookup ${lease_id}`)).code).toBe(2);
  });

  test("told to stop while a revocation cannot go on, leaves it to be retried", async () => {
    const world = await newWorld({ app: "1h" });
    const { lease_id, data } = await readCreds(world);
    const held = await holdRole(data.username);
    const daemon = await world.daemon({ env: LATER });
    await until("the drop to wait", () => isDropWaiting(data.username));
    daemon.kill("SIGTERM");
    expect(await daemon.ended).toMatchObject({ code: 0, signal: null });
    expect((await world.json<{ data: object }>(`lease lookup ${lease_id}`)).data).toMatchObject({
      state: "revoking",
      revoke_attempts: 1,
      principal: data.username,
    });
    await held.release();
    const later = { VSEC_CLOCK_OFFSET_MS: String(2 * 3700_000) };
    expect((await world.run("daemon -once", { env: later })).stderr).toContain("done=1 failed=0");
    expect(await usersOn(server)).not.toContain(data.username);
  });

  test(`two on one store share ${LEASES} expired leases, and drop each user once`, async () => {
    const world = await newWorld({});
    await addDatabase(world, server, { mount: "many", roles: { flood: "1h" } });
    const issued = pooled(Array.from({ length: LEASES }), () => readCreds(world, "many/creds/flood"));
    const creds = await Promise.all(issued);
    const logged = server.log().length;
    const daemons = ["daemon", "daemon -no-listen"].map((line) => world.start(line, { env: LATER }));
    const users = new Set(creds.map(({ data }) => data.username));
    await until("all users to be dropped", async () =>
      (await usersOn(server)).every((user) => !users.has(user)),
    );
    const ids = (): string[] =>
      daemons.flatMap((daemon) =>
        [...daemon.stderr().matchAll(/lease ended: lease=(\S+)/g)].map(([, id = ""]) => id),
      );
    await until("the daemons to say so", () => ids().length >= LEASES);
    for (const daemon of daemons) daemon.kill("SIGTERM");
    expect((await Promise.all(daemons.map(({ ended }) => ended))).map(({ code }) => code)).toEqual([0, 0]);
    expect(ids().sort()).toEqual(creds.map(({ lease_id }) => lease_id).sort());
    const drops = server
      .log()
      .slice(logged)
      .split("\n")
      .filter((row) => row.includes("DROP ROLE"))
      .flatMap((row) => row.match(/v-root-flood-\w{20}-\d+/g) ?? []);
    expect(drops.sort()).toEqual([...users].sort());
  }, 240_000);
});
