import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Client } from "pg";
import type { DatabasePlugin } from "../../../../src/engines/database/plugin.ts";
import { type PostgresLogin, type PostgresServer, startPostgres } from "../../../servers/postgres.ts";
import { until } from "../../../servers/process.ts";
import { failureOf } from "../failure.ts";
import { createLogin, doomed, onEachVersion, openPlugin } from "./fixture.ts";

onEachVersion((version) => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version });
  });
  afterAll(async () => {
    await server?.stop();
  });

  describe.each(["superuser", "createrole"] as const)("as %s", (kind) => {
    let admin: PostgresLogin;
    let database: string;
    let other: string;
    let plugin: DatabasePlugin;
    const name = (suffix: string) => `${kind}-${suffix}`;

    beforeAll(async () => {
      admin = await server.createAdmin(kind);
      database = await server.createDatabase(admin.username);
      other = await server.createDatabase(admin.username);
      plugin = openPlugin(server, admin, database);
      const owner = await server.connect({ ...loginOf(admin), database });
      await owner.query("CREATE TABLE kept (a int); CREATE SCHEMA extra");
      await owner.end();
      await server.query(`CREATE ROLE "grp-${kind}"`);
      await server.query(`GRANT "grp-${kind}" TO "${admin.username}" WITH ADMIN OPTION`);
    });
    afterAll(async () => {
      await plugin?.close();
    });

    const loginOf = ({ username, password }: PostgresLogin) => ({ user: username, password });
    const in_ = async <T>(place: string, work: (client: Client) => Promise<T>): Promise<T> => {
      const client = await server.connect({ database: place });
      try {
        return await work(client);
      } finally {
        await client.end();
      }
    };
    const exists = async (role: string) =>
      (await server.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [role])).length === 1;

    test("objects of the user survive and belong to the administrator", async () => {
      const user = name("owner");
      await createLogin(plugin, user, "x", `GRANT CREATE ON SCHEMA extra TO "{{name}}"`);
      await in_(database, async (client) => {
        await client.query(`GRANT CREATE, USAGE ON SCHEMA extra TO "${user}"`);
      });
      const session = await server.connect({ user, password: "x", database });
      await session.query("CREATE TABLE extra.theirs AS SELECT 42 AS answer");
      await session.end();
      expect(await plugin.deleteUsers(doomed(user))).toEqual([null]);
      const rows = await in_(database, async (client) => {
        const found = await client.query(
          "SELECT answer, (SELECT tableowner FROM pg_tables WHERE tablename = 'theirs') AS owner FROM extra.theirs",
        );
        await client.query("DROP TABLE extra.theirs");
        return found.rows;
      });
      expect(rows).toEqual([{ answer: 42, owner: admin.username }]);
      expect(await exists(user)).toBe(false);
    });

    test("grants in two databases, on a database, and default privileges do not keep the user", async () => {
      const user = name("grants");
      const statements = [
        `GRANT SELECT ON kept TO "{{name}}"; GRANT USAGE ON SCHEMA extra TO "{{name}}"`,
        `GRANT TEMPORARY ON DATABASE ${other} TO "{{name}}"`,
        `ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO "{{name}}"`,
      ];
      await createLogin(plugin, user, "x", ...statements);
      const owner = await server.connect({ ...loginOf(admin), database: other });
      await owner.query(`CREATE SCHEMA "${user}"; GRANT USAGE ON SCHEMA "${user}" TO "${user}"`);
      await owner.end();
      expect(await plugin.deleteUsers(doomed(user))).toEqual([null]);
      expect(await exists(user)).toBe(false);
    });

    test("open sessions end, also one that took on another role", async () => {
      const user = name("session");
      await createLogin(plugin, user, "x", `GRANT "grp-${kind}" TO "{{name}}"`);
      const sessions = [
        await server.connect({ user, password: "x", database }),
        await server.connect({ user, password: "x", database: other }),
      ];
      await sessions[0]?.query(`SET ROLE "grp-${kind}"`);
      await sessions[1]?.query("BEGIN");
      expect(await plugin.deleteUsers(doomed(user))).toEqual([null]);
      for (const session of sessions) {
        expect(await failureOf(session.query("SELECT 1"))).toBeInstanceOf(Error);
      }
      const left = await server.query("SELECT 1 FROM pg_stat_activity WHERE usename = $1", [user]);
      expect(left).toEqual([]);
      expect(await exists(user)).toBe(false);
    });

    test("with something in the way the login is off, the sessions are over, and the error names it", async () => {
      const user = name("stuck");
      await createLogin(plugin, user, "x");
      const closed = await server.createDatabase();
      await in_(closed, async (client) => {
        await client.query(`CREATE TABLE t (); GRANT SELECT ON t TO "${user}"`);
      });
      await server.query(`ALTER DATABASE ${closed} ALLOW_CONNECTIONS false`);
      const session = await server.connect({ user, password: "x", database });
      const [outcome] = await plugin.deleteUsers(doomed(user));
      expect(outcome).toMatchObject({ name: "DatabaseError", serverCode: "55000" });
      expect(outcome?.message).toStartWith(`dropping role "${user}" failed: `);
      expect(outcome?.message).toContain(`"${closed}"`);
      expect(await failureOf(session.query("SELECT 1"))).toBeInstanceOf(Error);
      expect(await failureOf(server.connect({ user, password: "x" }))).toMatchObject({ code: "28000" });
      await server.query(`ALTER DATABASE ${closed} ALLOW_CONNECTIONS true`);
      await server.query(`ALTER DATABASE ${closed} OWNER TO "${admin.username}"`);
      await in_(closed, (client) => client.query(`ALTER TABLE t OWNER TO "${admin.username}"`));
      expect(await plugin.deleteUsers(doomed(user))).toEqual([null]);
      expect(await exists(user)).toBe(false);
    });

    test("of 1,200 users the one that cannot be dropped is the one that is reported", async () => {
      const users = Array.from({ length: 1200 }, (_, index) => name(`many-${index}`));
      const client = await server.connect(loginOf(admin));
      const group = `"grp-${kind}"`;
      await client.query(users.map((user) => `CREATE ROLE "${user}" LOGIN IN ROLE ${group}`).join(";"));
      await client.end();
      const stuck = users[777] ?? "";
      const closed = await server.createDatabase();
      await in_(closed, async (inside) => {
        await inside.query(`CREATE TABLE t (); ALTER TABLE t OWNER TO "${stuck}"`);
      });
      await server.query(`ALTER DATABASE ${closed} ALLOW_CONNECTIONS false`);
      const outcomes = await plugin.deleteUsers(doomed(...users));
      expect(outcomes.flatMap((outcome, index) => (outcome === null ? [] : [index]))).toEqual([777]);
      const left = await server.query("SELECT rolname FROM pg_roles WHERE rolname LIKE $1", [name("many-%")]);
      expect(left).toEqual([{ rolname: stuck }]);
      await server.query(`DROP DATABASE ${closed}`);
      expect(await plugin.deleteUsers(doomed(stuck))).toEqual([null]);
    });

    test("of a mixed lot each name gets its own outcome", async () => {
      const users = [
        "plain",
        "no-login",
        'qu"ote',
        "back\\slash",
        "a,{b} c",
        "NULL",
        "grüße-日本-🦊",
        "o'hara",
      ].map(name);
      for (const user of users) {
        await server.query(`CREATE ROLE "${user.replaceAll('"', '""')}" LOGIN PASSWORD 'x'`);
        await server.query(`GRANT "${user.replaceAll('"', '""')}" TO "${admin.username}" WITH ADMIN OPTION`);
      }
      await server.query(`ALTER ROLE "${name("no-login")}" NOLOGIN`);
      // One of each kind of oddity is involved too: with a session, with something here, with something elsewhere.
      const session = await server.connect({ user: name("grüße-日本-🦊"), password: "x", database });
      const owner = await server.connect({ ...loginOf(admin), database });
      await owner.query(`GRANT SELECT ON kept TO "${name('qu""ote')}", "${name("NULL")}"`);
      await owner.end();
      const neighbour = await server.connect({ ...loginOf(admin), database: other });
      await neighbour.query(`CREATE SCHEMA mixed; GRANT USAGE ON SCHEMA mixed TO "${name("back\\slash")}"`);
      await neighbour.end();
      const before = server.log().length;
      const lot = [
        name("missing-1"),
        ...users.slice(0, 4),
        admin.username,
        ...users.slice(4),
        name("missing-2"),
      ];
      const outcomes = await plugin.deleteUsers(doomed(...lot));
      expect(outcomes.flatMap((outcome, index) => (outcome === null ? [] : [lot[index]]))).toEqual([
        admin.username,
      ]);
      expect(outcomes[5]?.message).toContain("it is the administrator of this connection");
      expect(await failureOf(session.query("SELECT 1"))).toBeInstanceOf(Error);
      for (const user of users) expect(await exists(user)).toBe(false);
      const log = server.log().slice(before);
      expect(log).toContain(`ALTER ROLE "${name("plain")}" NOLOGIN`);
      for (const untouched of [name("no-login"), name("missing-1"), admin.username]) {
        expect(log).not.toContain(`ALTER ROLE "${untouched}"`);
      }
      expect(log).not.toContain(`"${name("missing-1")}", `);
      await (await server.connect(loginOf(admin))).end();
    });

    test("a name that is being created is waited for, and no other waits with it", async () => {
      const users = ["ahead", "busy", "behind"].map(name);
      for (const user of users) if (user !== name("busy")) await createLogin(plugin, user, "x");
      const gate = await server.connect({ database });
      await gate.query("BEGIN; SELECT pg_advisory_xact_lock(42)");
      const creation = createLogin(plugin, name("busy"), "x", "SELECT pg_advisory_xact_lock(42)");
      const waiting = (count: number) => async () => {
        const locks = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        return (await server.query(locks)).length === count;
      };
      await until("the creation to be under way", waiting(1));
      const deletion = plugin.deleteUsers(doomed(...users, name("never-was")));
      await until("the deletion to wait", waiting(2));
      expect(await Promise.all([exists(name("ahead")), exists(name("behind"))])).toEqual([false, false]);
      await gate.query("COMMIT");
      await gate.end();
      await creation;
      expect(await deletion).toEqual([null, null, null, null]);
      expect(await exists(name("busy"))).toBe(false);
    });

    test("the administrator itself is never dropped, nor locked out", async () => {
      await createLogin(plugin, name("beside"), "x");
      const outcomes = await plugin.deleteUsers(doomed(name("beside"), admin.username));
      expect(outcomes[0]).toBeNull();
      expect(outcomes[1]?.message).toContain("it is the administrator of this connection");
      await (await server.connect(loginOf(admin))).end();
    });
  });

  test("a privilege that the administrator cannot take away stops one user of many, whose login is off", async () => {
    const admin = await server.createAdmin("createrole");
    const database = await server.createDatabase();
    const plugin = openPlugin(server, admin, database);
    const users = ["foreign-a", "foreign-b", "foreign-c", "foreign-d", "foreign-e"];
    for (const user of users) await createLogin(plugin, user, "x");
    const client = await server.connect({ database });
    await client.query(`CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO "foreign-c"`);
    await client.end();
    const session = await server.connect({ user: "foreign-c", password: "x" });
    const outcomes = await plugin.deleteUsers(doomed(...users));
    expect(outcomes.map((outcome) => outcome === null)).toEqual([true, true, false, true, true]);
    expect(outcomes[2]).toMatchObject({ kind: "statement", serverCode: "2BP01" });
    expect(outcomes[2]?.message).toBe(
      'dropping role "foreign-c" failed: role "foreign-c" cannot be dropped because some objects depend on it: ' +
        "privileges for schema s (SQLSTATE 2BP01)",
    );
    expect(await failureOf(session.query("SELECT 1"))).toBeInstanceOf(Error);
    const left = await server.query("SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname ~ '^foreign'");
    expect(left).toEqual([{ rolname: "foreign-c", rolcanlogin: false }]);
    await plugin.close();
  });
});
