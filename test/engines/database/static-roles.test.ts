import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { dataOf, errorOf } from "../../core/world.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../../servers/postgres.ts";
import { type DatabaseWorld, databaseWorld } from "./postgres-world.ts";

setDefaultTimeout(60_000);
const HOUR = 3600;

describe.skipIf(postgresMissing(18) !== undefined)("a static role", () => {
  let server: PostgresServer;
  let at: DatabaseWorld;
  beforeAll(async () => {
    server = await startPostgres({ version: 18, settings: { max_connections: "20" } });
    at = await databaseWorld(server);
  });
  afterAll(async () => {
    await at?.world.core.close();
    await server?.stop();
  });

  const creds = async (name: string): Promise<JsonObject> =>
    dataOf(await at.world.get(`database/static-creds/${name}`));
  const passwordOf = async (name: string): Promise<string> => String((await creds(name)).password);
  const warnings = async (name: string): Promise<string[]> => {
    const { body } = await at.world.get(`database/static-creds/${name}`);
    return (body as { warnings: string[] | null }).warnings ?? [];
  };
  /** The server goes away, with all that it was told on disk. */
  const goAway = async (): Promise<void> => {
    await server.query("CHECKPOINT");
    await server.halt();
  };
  /** A user with a static role of the same name, whose password was replaced. */
  const adopt = async (name: string, more: JsonObject = { rotation_period: "24h" }): Promise<void> => {
    await at.makeUser(name, "initial");
    expect(await at.put(`database/static-roles/${name}`, { db_name: "pg", username: name, ...more })).toBe(
      "",
    );
  };

  test("replaces the password at once, and shows what Vault shows", async () => {
    await adopt("app");
    const last = new Date(at.world.now).toISOString();
    const shown = await creds("app");
    expect(shown).toEqual({
      last_vault_rotation: last,
      password: expect.stringMatching(/^[A-Za-z0-9-]{20}$/),
      rotation_period: 24 * HOUR,
      ttl: 24 * HOUR,
      username: "app",
    });
    expect(await at.logsIn("app", "initial")).toBe(false);
    expect(await at.logsIn("app", String(shown.password))).toBe(true);
    expect(dataOf(await at.world.get("database/static-roles/app"))).toEqual({
      credential_type: "password",
      db_name: "pg",
      last_vault_rotation: last,
      rotation_period: 24 * HOUR,
      rotation_statements: [],
      skip_import_rotation: false,
      username: "app",
    });
    expect(dataOf(await at.world.send("LIST", "database/static-roles"))).toEqual({ keys: ["app"] });
  });

  test("keeps a type of credential that can be rotated", async () => {
    await adopt("typed");
    const other = { username: "typed", credential_type: "rsa_private_key" };
    expect(await at.put("database/static-roles/typed", other)).toBe(
      'unsupported credential_type: "rsa_private_key"',
    );
    expect(await at.put("database/rotate-role/typed")).toBe("");
  });

  test("is rotated when it is due, and by hand, and its TTL counts down", async () => {
    await adopt("due", { rotation_period: "10h" });
    const first = await passwordOf("due");
    at.world.advance(4 * HOUR);
    expect((await creds("due")).ttl).toBe(6 * HOUR);
    expect(await at.put("database/rotate-role/due")).toBe("");
    const second = await passwordOf("due");
    expect(second).not.toBe(first);
    expect((await creds("due")).ttl).toBe(10 * HOUR);
    at.world.advance(10 * HOUR);
    expect((await at.world.daemon()).failed).toBe(0);
    const third = await passwordOf("due");
    expect(third).not.toBe(second);
    expect(await at.logsIn("due", second)).toBe(false);
    expect(await at.logsIn("due", third)).toBe(true);
    expect(await warnings("due")).toEqual([]);
  });

  test("whose rotation is overdue is rotated before its password is shown", async () => {
    await adopt("overdue", { rotation_period: "10h" });
    const first = await passwordOf("overdue");
    at.world.advance(10 * HOUR + 5);
    // Just due: that is the daemon's.
    expect(await passwordOf("overdue")).toBe(first);
    at.world.advance(10);
    const shown = await creds("overdue");
    expect(shown.password).not.toBe(first);
    expect(shown.ttl).toBe(10 * HOUR);
    expect(await at.logsIn("overdue", String(shown.password))).toBe(true);
  });

  test("goes by its own statements", async () => {
    await adopt("custom", {
      rotation_period: "24h",
      rotation_statements: `ALTER ROLE "{{username}}" PASSWORD '{{password}}' CONNECTION LIMIT 7`,
    });
    const [row] = await server.query("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'custom'");
    expect(row?.rolconnlimit).toBe(7);
    expect(await at.logsIn("custom", await passwordOf("custom"))).toBe(true);
  });

  test("follows a schedule, and waits for its next time when the window has closed", async () => {
    await adopt("nightly", { rotation_schedule: "0 3 * * *", rotation_window: "1h" });
    const { ttl, rotation_schedule, rotation_window } = await creds("nightly");
    expect({ rotation_schedule, rotation_window }).toEqual({
      rotation_schedule: "0 3 * * *",
      rotation_window: HOUR,
    });
    const before = await passwordOf("nightly");
    at.world.advance(Number(ttl) + 2 * HOUR);
    await at.world.daemon();
    expect(await passwordOf("nightly")).toBe(before);
    expect(await warnings("nightly")).toEqual([expect.stringContaining("not possible in its window")]);
    expect((await creds("nightly")).ttl).toBe(22 * HOUR);
    at.world.advance(22 * HOUR + 60);
    await at.world.daemon();
    expect(await passwordOf("nightly")).not.toBe(before);
    expect(await warnings("nightly")).toEqual([]);
  });

  test("can take the present password over, and proves it", async () => {
    await at.makeUser("legacy", "known");
    const role = { db_name: "pg", username: "legacy", rotation_period: "24h", skip_import_rotation: true };
    expect(await at.put("database/static-roles/legacy", { ...role, password: "wrong" })).toBe(
      'the given password does not log in as "legacy"',
    );
    expect(await at.put("database/static-roles/legacy", { ...role, password: "known" })).toBe("");
    expect(await creds("legacy")).toMatchObject({ password: "known", ttl: 24 * HOUR });
    expect((await creds("legacy")).last_vault_rotation).toBeUndefined();
    expect(await at.logsIn("legacy", "known")).toBe(true);
  });

  test("leaves the password alone where the connection says so, and tells that it is not known", async () => {
    await at.put("database/config/pg", { skip_static_role_import_rotation: true });
    await adopt("kept");
    await at.put("database/config/pg", { skip_static_role_import_rotation: false });
    expect(await at.logsIn("kept", "initial")).toBe(true);
    expect(await warnings("kept")).toEqual(["the password is not known before the first rotation"]);
    expect(await at.put("database/rotate-role/kept")).toBe("");
    expect(await at.logsIn("kept", await passwordOf("kept"))).toBe(true);
  });

  test("finds a password that was changed outside, says so, and puts its own back", async () => {
    await adopt("drifting");
    const ours = await passwordOf("drifting");
    await server.query("ALTER ROLE drifting PASSWORD 'theirs'");
    at.world.advance(HOUR + 1);
    expect((await at.world.daemon()).failed).toBe(0);
    expect(await at.logsIn("drifting", ours)).toBe(true);
    expect(await passwordOf("drifting")).toBe(ours);
    const text = 'the password of user "drifting" was changed outside of vsec';
    expect(await warnings("drifting")).toEqual([expect.stringContaining(text)]);
    expect(at.world.logged.map(({ message }) => message)).toContain(text);
    // The rotation after it has nothing to report any more.
    expect(await at.put("database/rotate-role/drifting")).toBe("");
    expect(await warnings("drifting")).toEqual([]);
  });

  test("keeps its password when a rotation is refused, and says why", async () => {
    await adopt("stuck");
    const before = await passwordOf("stuck");
    const role = { db_name: "pg", username: "stuck" };
    await at.put("database/static-roles/stuck", { ...role, rotation_statements: "SELECT 1/0" });
    expect(await at.put("database/rotate-role/stuck")).toContain(
      "unable to finish rotating credentials; retries will continue in the background but it is also safe to retry manually: ",
    );
    expect(await at.logsIn("stuck", before)).toBe(true);
    expect(await passwordOf("stuck")).toBe(before);
    expect(await warnings("stuck")).toEqual([expect.stringContaining("division by zero")]);
    await at.put("database/static-roles/stuck", { ...role, rotation_statements: [] });
    expect(await at.put("database/rotate-role/stuck")).toBe("");
    expect(await warnings("stuck")).toEqual([]);
  });

  test("is not made when the database refuses, or is away", async () => {
    const role = { db_name: "pg", rotation_period: "24h" };
    const refused = await at.put("database/static-roles/ghost", { ...role, username: "ghost" });
    expect(refused).toContain("error setting credentials: ");
    expect(refused).toContain('role "ghost" does not exist');
    expect((await at.world.get("database/static-roles/ghost")).status).toBe(404);
    await at.makeUser("ghost", "initial");
    await goAway();
    expect(await at.put("database/static-roles/ghost", { ...role, username: "ghost" })).toContain(
      "error setting credentials: ",
    );
    await server.resume();
    expect((await at.world.get("database/static-roles/ghost")).status).toBe(404);
    expect(await at.put("database/static-roles/ghost", { ...role, username: "ghost" })).toBe("");
  });

  test("is rotated when the database is back", async () => {
    await adopt("patient", { rotation_period: "2h" });
    const before = await passwordOf("patient");
    at.world.advance(2 * HOUR);
    await goAway();
    expect((await at.world.daemon()).failed).toBeGreaterThan(0);
    expect(await warnings("patient")).toEqual([expect.stringContaining("the last rotation failed at")]);
    await server.resume();
    at.world.advance(200);
    await at.world.daemon();
    const after = await passwordOf("patient");
    expect(after).not.toBe(before);
    expect(await at.logsIn("patient", after)).toBe(true);
  });

  test("goes, and leaves its user as it is", async () => {
    await adopt("leaving");
    const password = await passwordOf("leaving");
    const { status } = await at.world.send("DELETE", "database/static-roles/leaving");
    expect(status).toBe(204);
    expect(errorOf(await at.world.get("database/static-creds/leaving"))).toBe("unknown role: leaving");
    expect(await at.logsIn("leaving", password)).toBe(true);
    // Its user can be managed again.
    expect(
      await at.put("database/static-roles/again", {
        db_name: "pg",
        username: "leaving",
        rotation_period: "24h",
      }),
    ).toBe("");
  });

  test("waits for its turn where many are due at the same moment", async () => {
    const names = Array.from({ length: 40 }, (_, index) => `many-${index}`);
    for (const name of names) await adopt(name, { rotation_period: "5h", skip_import_rotation: true });
    at.world.advance(5 * HOUR);
    // The server takes 20 connections.
    expect((await at.world.daemon()).failed).toBe(0);
    for (const name of names) expect(await at.logsIn(name, await passwordOf(name))).toBe(true);
    for (const name of names) await at.world.send("DELETE", `database/static-roles/${name}`);
  });

  test("is told of when its connection is deleted, and is not rotated any more", async () => {
    const url = server.url({ database: "postgres", user: "{{username}}", password: "{{password}}" });
    const plugin = { plugin_name: "postgresql-database-plugin", allowed_roles: "*", ...at.admin };
    await at.put("database/config/doomed", { ...plugin, connection_url: url });
    await adopt("stranded", { db_name: "doomed", rotation_period: "1h" });
    const before = await passwordOf("stranded");
    const { body } = await at.world.send("DELETE", "database/config/doomed");
    expect((body as { warnings: string[] }).warnings).toEqual([
      "The passwords of these static roles are not rotated without the connection: stranded",
    ]);
    at.world.advance(HOUR);
    expect((await at.world.daemon()).failed).toBe(1);
    expect(await passwordOf("stranded")).toBe(before);
    expect(await warnings("stranded")).toEqual([
      expect.stringContaining("failed to find entry for connection"),
    ]);
    await at.world.send("DELETE", "database/static-roles/stranded");
  });

  test("makes its passwords by the policy of the role, else of the connection", async () => {
    const policy = 'length = 8 rule "charset" { charset = "xyz" min-chars = 1 }';
    expect(await at.put("sys/policies/password/letters", { policy })).toBe("");
    await adopt("policied", { rotation_period: "24h", credential_config: { password_policy: "letters" } });
    expect(await passwordOf("policied")).toMatch(/^[xyz]{8}$/);
    const missing = { db_name: "pg", username: "policied", credential_config: { password_policy: "none" } };
    expect(await at.put("database/static-roles/policied", missing)).toBe("");
    expect(await at.put("database/rotate-role/policied")).toContain("failed to generate password: ");
  });

  test("with self-managed users changes each password as the user itself", async () => {
    await at.makeUser("selfish", "own");
    const url = server.url({ database: "postgres", user: "{{username}}", password: "{{password}}" });
    const plugin = { plugin_name: "postgresql-database-plugin", allowed_roles: "*" };
    expect(await at.put("database/config/own", { ...plugin, connection_url: url, self_managed: true })).toBe(
      "",
    );
    const role = { db_name: "own", username: "selfish", rotation_period: "24h" };
    expect(await at.put("database/static-roles/selfish", role)).toContain("password is required");
    expect(await at.put("database/static-roles/selfish", { ...role, password: "own" })).toBe("");
    const first = await passwordOf("selfish");
    expect(await at.logsIn("selfish", first)).toBe(true);
    expect(await at.put("database/rotate-role/selfish")).toBe("");
    expect(await at.logsIn("selfish", await passwordOf("selfish"))).toBe(true);
    expect(await at.logsIn("selfish", first)).toBe(false);
    // Nobody but the user can put its password back: that has to be told.
    await server.query("ALTER ROLE selfish PASSWORD 'theirs'");
    expect(await at.put("database/rotate-role/selfish")).toContain(
      "write the present one to static-roles/selfish as password",
    );
    expect(await at.put("database/static-roles/selfish", { ...role, password: "wrong" })).toContain(
      "does not log in",
    );
    expect(await at.put("database/static-roles/selfish", { ...role, password: "theirs" })).toBe("");
    expect(await at.put("database/rotate-role/selfish")).toBe("");
    expect(await at.logsIn("selfish", await passwordOf("selfish"))).toBe(true);
  });

  test("whose period is made shorter is due so long after its last rotation", async () => {
    await adopt("shorter");
    at.world.advance(2 * HOUR);
    const role = { db_name: "pg", username: "shorter" };
    expect(await at.put("database/static-roles/shorter", { ...role, rotation_period: "3h" })).toBe("");
    expect((await creds("shorter")).ttl).toBe(HOUR);
  });

  test("whose user has expired is rotated all the same", async () => {
    await at.makeUser("expired", "initial");
    await server.query("ALTER ROLE expired VALID UNTIL '2001-01-01'");
    const role = { db_name: "pg", username: "expired", rotation_period: "24h" };
    expect(await at.put("database/static-roles/expired", role)).toBe("");
    await server.query("ALTER ROLE expired VALID UNTIL 'infinity'");
    expect(await at.logsIn("expired", await passwordOf("expired"))).toBe(true);
  });

  test.each<[JsonObject, string]>([
    [{ username: "x", rotation_period: 60 }, "database name is a required field"],
    [{ db_name: "pg", rotation_period: 60 }, "username is a required field to create a static account"],
    [
      { db_name: "pg", username: "x" },
      "one of rotation_schedule or rotation_period must be provided to create a static account",
    ],
    [{ db_name: "pg", username: "x", rotation_period: 4 }, "rotation_period must be 5 seconds or more"],
    [
      { db_name: "pg", username: "x", rotation_period: 60, rotation_schedule: "* * * * *" },
      "mutually exclusive fields rotation_period and rotation_schedule were both specified; only one of them can be provided",
    ],
    [
      { db_name: "pg", username: "x", rotation_period: 60, rotation_window: 3600 },
      "rotation_window is invalid with use of rotation_period",
    ],
    [
      { db_name: "pg", username: "x", rotation_schedule: "* * * * *", rotation_window: 60 },
      "rotation_window is invalid",
    ],
    [
      { db_name: "pg", username: "x", rotation_schedule: "x" },
      "could not parse rotation_schedule: expected exactly 5 fields, found 1: [x]",
    ],
    [
      { db_name: "pg", username: "x", rotation_period: 60, credential_type: "key" },
      'invalid credential_type "key"',
    ],
    [
      { db_name: "pg", username: "x", rotation_period: 60, credential_type: "rsa_private_key" },
      'unsupported credential_type: "rsa_private_key"',
    ],
    [
      { db_name: "none", username: "x", rotation_period: 60 },
      'failed to find entry for connection with name: "none"',
    ],
  ])("%j is refused", async (body, text) => {
    expect(await at.put("database/static-roles/refused", body)).toBe(text);
  });

  test("shares neither its name, nor its user, with another, nor its user with the administrator", async () => {
    await adopt("sole");
    await at.put("database/roles/dynamic", { db_name: "pg", creation_statements: "SELECT 1" });
    const role = { db_name: "pg", rotation_period: 60 };
    const unique = "Role and Static Role names must be unique";
    expect(await at.put("database/static-roles/dynamic", { ...role, username: "other" })).toBe(unique);
    expect(await at.put("database/roles/sole", { db_name: "pg", creation_statements: "SELECT 1" })).toBe(
      unique,
    );
    expect(await at.put("database/static-roles/second", { ...role, username: "sole" })).toBe(
      'user "sole" is managed by static role "sole" already',
    );
    expect(await at.put("database/static-roles/root", { ...role, username: at.admin.username })).toContain(
      "use rotate-root/pg for it",
    );
    expect(await at.put("database/static-roles/sole", { ...role, username: "renamed" })).toBe(
      "cannot update static account username",
    );
    expect(await at.put("database/rotate-role/none")).toBe("no static role found for role name");
  });
});
