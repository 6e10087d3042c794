import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { dataOf, errorOf } from "../../core/world.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../../servers/postgres.ts";
import { until } from "../../servers/process.ts";
import { type DatabaseWorld, databaseWorld } from "./postgres-world.ts";

setDefaultTimeout(60_000);
/** Without an expiry: the clock of these tests stands still in the past. */
const CREATE = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`;

interface Issued {
  readonly lease: string;
  readonly username: string;
  readonly password: string;
}

describe.skipIf(postgresMissing(18) !== undefined)("what users ask of the database engine", () => {
  let server: PostgresServer;
  let at: DatabaseWorld;
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    at = await databaseWorld(server);
  });
  afterAll(async () => {
    await at?.world.core.close();
    await server?.stop();
  });

  const makeRole = async (name: string, more: JsonObject = {}): Promise<void> => {
    const role = { db_name: "pg", creation_statements: CREATE, ...more };
    expect(await at.put(`database/roles/${name}`, role)).toBe("");
  };
  const issue = async (role: string, query: JsonObject = {}): Promise<Issued & { data: JsonObject }> => {
    const answer = await at.world.get(`database/creds/${role}`, query);
    expect(errorOf(answer)).toBe("");
    const data = dataOf(answer);
    const lease = (answer.body as { lease_id: string }).lease_id;
    return { lease, username: String(data.username), password: String(data.password), data };
  };
  const revoke = (lease: string) => at.put("sys/leases/revoke", { lease_id: lease, sync: true });

  describe("max_live", () => {
    test("refuses one more, says how many there are, and lets one through for each that ends", async () => {
      await makeRole("capped", { max_live: 2 });
      const first = await issue("capped");
      await issue("capped");
      const refused = await at.world.get("database/creds/capped");
      expect({ status: refused.status, error: errorOf(refused) }).toEqual({
        status: 429,
        error:
          '"database/creds/capped" has 2 live leases, and its max_live is 2: use one of them, or revoke some',
      });
      expect(await revoke(first.lease)).toBe("");
      await issue("capped");
      // It counts what was issued before it was set, and holds for its own role only.
      await at.put("database/roles/capped", { max_live: 1 });
      expect(errorOf(await at.world.get("database/creds/capped"))).toContain(
        "has 2 live leases, and its max_live is 1",
      );
      await makeRole("capped-not");
      await issue("capped-not");
      expect(dataOf(await at.world.get("database/roles/capped")).max_live).toBe(1);
      expect(dataOf(await at.world.get("database/roles/capped-not")).max_live).toBeUndefined();
    });

    test("holds among many who ask at the same time", async () => {
      await makeRole("crowded", { max_live: 5 });
      const asking = Array.from({ length: 20 }, () => at.world.get("database/creds/crowded"));
      const statuses = (await Promise.all(asking)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 200).length).toBe(5);
      expect(statuses.filter((status) => status === 429).length).toBe(15);
      const rows = await server.query("SELECT 1 FROM pg_roles WHERE rolname LIKE 'v-root-crowded-%'");
      expect(rows.length).toBe(5);
    });
  });

  describe("session_grace", () => {
    test("lets a session end by itself, while nobody can log in any more", async () => {
      await makeRole("gentle", { session_grace: 60 });
      const { lease, username: user, password } = await issue("gentle");
      const client = await server.connect({ user, password });
      let failure: unknown;
      client.on("error", (error: unknown) => {
        failure = error;
      });
      const revoked = revoke(lease);
      await until("logins are refused", async () => {
        const [row] = await server.query(`SELECT rolcanlogin FROM pg_roles WHERE rolname = '${user}'`);
        return row?.rolcanlogin === false;
      });
      expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
      await client.end();
      expect(await revoked).toBe("");
      expect(failure).toBeUndefined();
    });

    test("ends it when the time is over", async () => {
      await makeRole("brief", { session_grace: 1 });
      const { lease, username: user, password } = await issue("brief");
      const client = await server.connect({ user, password });
      const ended = new Promise<string>((resolve) => {
        client.on("error", ({ message }: Error) => resolve(message));
      });
      expect(await revoke(lease)).toBe("");
      expect(await ended).toContain("terminat");
    });

    test("is at most a minute", async () => {
      const role = { db_name: "pg", session_grace: "2m" };
      expect(await at.put("database/roles/slow", role)).toBe(
        "session_grace must not be longer than 60 seconds",
      );
    });
  });

  describe("connection=true", () => {
    test("adds a URL and the variables of the clients, which work", async () => {
      await makeRole("ready");
      const { data, username, password } = await issue("ready", { connection: "true" });
      expect(data.environment).toEqual({
        PGHOST: server.host,
        PGPORT: String(server.port),
        PGDATABASE: "postgres",
        PGUSER: username,
        PGPASSWORD: password,
        PGSSLMODE: "disable",
      });
      const url = `postgresql://${username}:${password}@${server.host}:${server.port}/postgres?sslmode=disable`;
      expect(data.connection_url).toBe(url);
      expect(Object.keys((await issue("ready")).data).sort()).toEqual(["password", "username"]);
    });

    test("does so for static roles too", async () => {
      await at.makeUser("constant", "initial");
      const role = { db_name: "pg", username: "constant", rotation_period: "24h" };
      await at.put("database/static-roles/constant", role);
      const data = dataOf(await at.world.get("database/static-creds/constant", { connection: "true" }));
      expect(data.connection_url).toContain(`constant:${data.password}@`);
    });
  });

  test("creation statements that grant to each user are taken, with a warning", async () => {
    const warningsOf = async (sql: string): Promise<readonly string[] | null> => {
      const { body } = await at.world.put("database/roles/granting", {
        db_name: "pg",
        creation_statements: sql,
      });
      return (body as { warnings: string[] | null } | null)?.warnings ?? null;
    };
    expect(await warningsOf(`${CREATE}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";`)).toEqual(
      [expect.stringContaining("at about 2,440 users")],
    );
    expect(await warningsOf(`${CREATE} IN ROLE readers;`)).toBeNull();
    expect(await warningsOf(`${CREATE}; GRANT readers TO "{{name}}";`)).toBeNull();
  });

  describe("reconcile", () => {
    test("lists users that no lease knows, and removes them when told to", async () => {
      await makeRole("kept");
      const { username } = await issue("kept");
      const strays = [
        "v-token-app-AAAAAAAAAAAAAAAAAAAA-1700000000",
        "v-token-app-BBBBBBBBBBBBBBBBBBBB-1700000000",
      ];
      for (const name of strays) await server.query(`CREATE ROLE "${name}" LOGIN`);
      // Others whose names are not of that form.
      for (const name of ["vera", "v-manual"]) await server.query(`CREATE ROLE "${name}" LOGIN`);
      const listed = dataOf(await at.world.get("database/reconcile/pg"));
      expect(listed.unknown).toEqual(strays);
      expect(Number(listed.known)).toBeGreaterThanOrEqual(1);
      expect(dataOf(await at.world.put("database/reconcile/pg"))).toEqual(listed);
      const one = { force: true, usernames: `${strays[0]},${username}` };
      expect(dataOf(await at.world.put("database/reconcile/pg", one))).toEqual({
        failed: { [username]: "it is not among the users that no lease knows" },
        removed: [strays[0] ?? ""],
      });
      expect(dataOf(await at.world.put("database/reconcile/pg", { force: true }))).toEqual({
        failed: {},
        removed: [strays[1] ?? ""],
      });
      const rows = await server.query("SELECT rolname FROM pg_roles WHERE rolname = ANY($1)", [
        [username, "vera", "v-manual", ...strays],
      ]);
      expect(rows.length).toBe(3);
    });

    test("goes by a template's fixed beginning, and refuses one that has none", async () => {
      const other = await databaseWorld(server, { username_template: "ours-{{.RoleName}}-{{random 10}}" });
      await server.query(`CREATE ROLE "ours-app-x" LOGIN`);
      expect(dataOf(await other.world.get("database/reconcile/pg"))).toEqual({
        known: 0,
        unknown: ["ours-app-x"],
      });
      await other.put("database/config/pg", { username_template: "{{.RoleName}}-{{random 10}}" });
      expect(errorOf(await other.world.get("database/reconcile/pg"))).toContain("without a fixed beginning");
      await other.world.core.close();
    });
  });

  test("a server that is away is told of", async () => {
    await at.makeUser("waiting", "known");
    const role = { db_name: "pg", username: "waiting", rotation_period: "24h", password: "known" };
    await at.put("database/static-roles/waiting", role);
    await server.query("CHECKPOINT");
    await server.halt();
    const refused = [
      await at.put("database/reconcile/pg"),
      await at.put("database/reconcile/pg", { force: true }),
      await at.put("database/preflight/pg"),
      await at.put("database/static-roles/waiting", role),
      await at.put("database/rotate-role/waiting"),
    ];
    await server.resume();
    const failure = (what: string) => expect.stringContaining(`\t* ${what}: `);
    expect(refused).toEqual([
      failure('reconciling connection "pg"'),
      failure('reconciling connection "pg"'),
      failure('trying connection "pg"'),
      failure("error setting credentials"),
      expect.stringContaining("it is also safe to retry manually: "),
    ]);
    for (const text of refused) expect(text).not.toContain("internal error");
  });

  describe("preflight", () => {
    test("is content with an administrator that can do everything, and leaves nothing", async () => {
      await makeRole("tried");
      const before = await server.query("SELECT rolname FROM pg_roles ORDER BY 1");
      for (const body of [{}, { role: "tried" }]) {
        expect(dataOf(await at.world.put("database/preflight/pg", body))).toEqual({
          problems: [],
          ready: true,
        });
      }
      expect(await server.query("SELECT rolname FROM pg_roles ORDER BY 1")).toEqual(before);
      expect(await at.logsIn(at.admin.username, at.admin.password)).toBe(true);
    });

    test("is content with an administrator that may create roles and no more", async () => {
      const admin = await server.createAdmin("createrole");
      const who = `the administrator "${admin.username}" cannot`;
      const written = await at.world.put("database/config/lesser", {
        plugin_name: "postgresql-database-plugin",
        connection_url: server.url({ database: "postgres", user: "{{username}}", password: "{{password}}" }),
        ...admin,
      });
      expect(written).toEqual({ status: 204, body: null });
      expect(dataOf(await at.world.put("database/preflight/lesser"))).toEqual({ problems: [], ready: true });
      // Its role wants more than it may give.
      await server.query("CREATE SCHEMA IF NOT EXISTS closed");
      const grant = `${CREATE}; GRANT USAGE ON SCHEMA closed TO "{{name}}"; GRANT pg_read_all_data TO "{{name}}"`;
      await at.put("database/roles/lesser", { db_name: "lesser", creation_statements: grant });
      expect(dataOf(await at.world.put("database/preflight/lesser", { role: "lesser" }))).toEqual({
        problems: [
          `${who} run creation statement 2 of 3: permission denied for schema closed (SQLSTATE 42501); ` +
            `grant it with: GRANT USAGE ON SCHEMA closed TO "${admin.username}" WITH GRANT OPTION`,
          `${who} run creation statement 3 of 3: permission denied to grant role "pg_read_all_data": Only roles with the ADMIN ` +
            'option on role "pg_read_all_data" may grant this role. (SQLSTATE 42501); grant it with: GRANT "pg_read_all_data" TO ' +
            `"${admin.username}" WITH ADMIN OPTION`,
        ],
        ready: false,
      });
    });

    describe("of an administrator that may do nothing", () => {
      const config = (more: JsonObject = {}): JsonObject => ({
        plugin_name: "postgresql-database-plugin",
        connection_url: server.url({ database: "postgres", user: "{{username}}", password: "{{password}}" }),
        username: "nobody",
        password: "pass",
        ...more,
      });
      const missing =
        'dministrator "nobody" cannot make a user: permission denied to create role: Only roles with the CREATEROLE attribute ' +
        'may create roles. (SQLSTATE 42501); grant it with: ALTER ROLE "nobody" CREATEROLE';
      beforeAll(() => at.makeUser("nobody", "pass"));

      test("says what is missing, and its configuration is taken with the same as a warning", async () => {
        const { status, body } = await at.world.put("database/config/nothing", config());
        expect({ status, warnings: (body as { warnings: string[] }).warnings }).toEqual({
          status: 200,
          warnings: [`The a${missing}`],
        });
        expect((await at.world.get("database/config/nothing")).status).toBe(200);
        expect(dataOf(await at.world.put("database/preflight/nothing"))).toEqual({
          problems: [`the a${missing}`],
          ready: false,
        });
        await server.query("ALTER ROLE nobody CREATEROLE");
        expect((await at.world.put("database/config/nothing", config())).status).toBe(204);
        await server.query("ALTER ROLE nobody NOCREATEROLE");
      });

      test("is not tried without verify_connection", async () => {
        const { status } = await at.world.put(
          "database/config/unasked",
          config({ verify_connection: false }),
        );
        expect(status).toBe(204);
      });
    });
  });
});
