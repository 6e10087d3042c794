import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { dataOf } from "../../core/world.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../../servers/postgres.ts";
import { type DatabaseWorld, databaseWorld } from "./postgres-world.ts";

setDefaultTimeout(60_000);
const HOUR = 3600;

describe.skipIf(postgresMissing(18) !== undefined)("the administrator's password", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
  });
  afterAll(() => server?.stop());

  const works = (at: DatabaseWorld): Promise<boolean> => at.logsIn(at.admin.username, at.admin.password);
  const canIssue = async (at: DatabaseWorld): Promise<boolean> => {
    const creation_statements = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`;
    await at.put("database/roles/any", { db_name: "pg", creation_statements });
    return (await at.world.get("database/creds/any")).status === 200;
  };
  const shown = async (at: DatabaseWorld): Promise<JsonObject> =>
    dataOf(await at.world.get("database/config/pg"));

  test("is replaced when its period is over, and again after the next", async () => {
    const at = await databaseWorld(server, { rotation_period: "24h" });
    expect(await shown(at)).toMatchObject({
      disable_automated_rotation: false,
      rotation_period: 24 * HOUR,
      rotation_schedule: "",
      rotation_window: 0,
    });
    at.world.advance(23 * HOUR);
    await at.world.daemon();
    expect(await works(at)).toBe(true);
    at.world.advance(HOUR);
    expect(await at.world.daemon()).toEqual({ done: 1, failed: 0 });
    expect(await works(at)).toBe(false);
    expect(await canIssue(at)).toBe(true);
    at.world.advance(12 * HOUR);
    // A rotation by hand counts.
    expect(await at.put("database/rotate-root/pg")).toBe("");
    at.world.advance(12 * HOUR);
    await at.world.daemon();
    const before = server.log().split("ALTER ROLE").length;
    at.world.advance(12 * HOUR);
    await at.world.daemon();
    expect(server.log().split("ALTER ROLE").length).toBeGreaterThan(before);
    expect(await canIssue(at)).toBe(true);
    await at.world.core.close();
  });

  test("that is replaced while a credential is being issued costs it a second login, and no more", async () => {
    const at = await databaseWorld(server);
    expect(await canIssue(at)).toBe(true);
    const get = at.world.barrier.get.bind(at.world.barrier);
    // Between each time that the configuration is read and what is done with it.
    for (const rotateAfter of [1, 2, 3]) {
      let reads = 0;
      at.world.barrier.get = async (key) => {
        const entry = await get(key);
        if (!key.endsWith("/config/pg")) return entry;
        reads += 1;
        if (reads === rotateAfter) expect(await at.put("database/rotate-root/pg")).toBe("");
        return entry;
      };
      expect((await at.world.get("database/creds/any")).status).toBe(200);
      expect(reads).toBeGreaterThan(rotateAfter);
      at.world.barrier.get = get;
    }
    await at.world.core.close();
  });

  test("follows a schedule within its window, and is left alone while that is disabled", async () => {
    const schedule = { rotation_schedule: "0 3 * * SAT", rotation_window: "2h" };
    const at = await databaseWorld(server, { ...schedule, disable_automated_rotation: true });
    at.world.advance(8 * 24 * HOUR);
    await at.world.daemon();
    expect(await works(at)).toBe(true);
    expect(await at.put("database/config/pg", { disable_automated_rotation: false })).toBe("");
    // Eight days from the start, a Tuesday evening; the next Saturday at three is 77 hours later, less 13 min 20 s.
    at.world.advance(84 * HOUR);
    await at.world.daemon();
    expect(await works(at)).toBe(true);
    expect(at.world.logged.map(({ message }) => message)).toContain(
      "a root rotation was not possible in its window; it waits for the next time",
    );
    const saturday = Date.UTC(2023, 11, 2, 3);
    at.world.advance((saturday - at.world.now) / 1000 + 60);
    expect((await at.world.daemon()).failed).toBe(0);
    expect(await works(at)).toBe(false);
    await at.world.core.close();
  });

  test("is made by the connection's password policy", async () => {
    const at = await databaseWorld(server);
    const policy = 'length = 12 rule "charset" { charset = "abcdef" }';
    await at.put("sys/policies/password/hex", { policy });
    expect(await at.put("database/config/pg", { password_policy: "hex" })).toBe("");
    expect(await at.put("database/rotate-root/pg")).toBe("");
    expect(await canIssue(at)).toBe(true);
    const { password } = dataOf(await at.world.get("database/creds/any"));
    expect(password).toMatch(/^[a-f]{12}$/);
    expect(await at.put("database/config/pg", { password_policy: "gone" })).toBe("");
    expect(await at.put("database/rotate-root/pg")).toContain("failed to generate password: ");
    await at.world.core.close();
  });

  test("refuses times that cannot be meant", async () => {
    const at = await databaseWorld(server);
    expect(await at.put("database/config/pg", { rotation_period: 60, rotation_window: 3600 })).toBe(
      "rotation_window does not apply to period",
    );
    expect(await at.put("database/config/pg", { rotation_schedule: "soon" })).toBe(
      "failed to parse provided rotation_schedule: expected exactly 5 fields, found 1: [soon]",
    );
    expect(await at.put("database/config/pg", { rotation_period: 60, username: "" })).toBe(
      "unable to rotate root credentials: no username in configuration",
    );
    await at.world.core.close();
  });
});
