import { afterAll, beforeAll, expect, test } from "bun:test";
import type { DatabasePlugin } from "../../../../src/engines/database/plugin.ts";
import { type PostgresServer, startPostgres } from "../../../servers/postgres.ts";
import { failureOf } from "../failure.ts";
import { CREATE_LOGIN, createLogin, doomed, HOUR_MS, onEachVersion, openPlugin } from "./fixture.ts";

onEachVersion((version) => {
  let server: PostgresServer;
  let database: string;
  let plugin: DatabasePlugin;
  beforeAll(async () => {
    server = await startPostgres({ version });
    database = await server.createDatabase();
    plugin = openPlugin(server, await server.createAdmin("createrole"), database);
  });
  afterAll(async () => {
    await plugin?.close();
    await server?.stop();
  });

  const roles = async (pattern: string) => {
    const rows = await server.query("SELECT rolname FROM pg_roles WHERE rolname LIKE $1", [pattern]);
    return rows.map(({ rolname }) => String(rolname));
  };

  test("a created user can log in, and the server never saw its password", async () => {
    const password = "p\\ä' $1\"%;-- x".replace(";", ",");
    await createLogin(plugin, "life-1", password);
    const client = await server.connect({ user: "life-1", password, database });
    await client.end();
    const [row] = await server.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'life-1'");
    expect(row?.rolpassword).toStartWith("SCRAM-SHA-256$4096:");
    expect(server.log()).toContain('CREATE ROLE "life-1"');
    expect(server.log()).not.toContain(password);
  });

  test("its expiry is what the caller said, and can be moved", async () => {
    const expiry = async () => {
      const rows = await server.query<{ at: Date }>(
        "SELECT rolvaliduntil AS at FROM pg_roles WHERE rolname = 'life-2'",
      );
      return rows[0]?.at.getTime();
    };
    const expiresAt = Date.UTC(2040, 1, 2, 3, 4, 5);
    await plugin.newUser({
      username: "life-2",
      password: "x",
      expiresAt,
      creationStatements: [CREATE_LOGIN],
    });
    expect(await expiry()).toBe(expiresAt);
    await plugin.setExpiration("life-2", expiresAt + HOUR_MS, []);
    expect(await expiry()).toBe(expiresAt + HOUR_MS);
    const statement = `ALTER ROLE "{{username}}" VALID UNTIL '{{expiration}}' CONNECTION LIMIT 3`;
    await plugin.setExpiration("life-2", expiresAt + 2 * HOUR_MS, [statement]);
    expect(await expiry()).toBe(expiresAt + 2 * HOUR_MS);
  });

  test("a changed password is the one that works from then on", async () => {
    await createLogin(plugin, "life-3", "old");
    for (const [password, statements] of [
      ["new'1", []],
      ["new2", [`ALTER ROLE "{{name}}" PASSWORD '{{password}}'`]],
    ] as const) {
      await plugin.setPassword("life-3", password, statements);
      await (await server.connect({ user: "life-3", password })).end();
    }
    expect(await failureOf(server.connect({ user: "life-3", password: "old" }))).toMatchObject({
      code: "28P01",
    });
  });

  test("with password_authentication=password the server gets the password itself", async () => {
    const admin = await server.createAdmin("createrole");
    const plain = openPlugin(server, admin, database, { password_authentication: "password" });
    await createLogin(plain, "life-4", "clear text");
    await plain.close();
    expect(server.log()).toContain("PASSWORD 'clear text'");
    await (await server.connect({ user: "life-4", password: "clear text" })).end();
  });

  test("a deleted user is gone, and deleting it again is a success", async () => {
    await createLogin(plugin, "life-5", "x");
    expect(await plugin.deleteUsers(doomed("life-5"))).toEqual([null]);
    expect(await roles("life-5")).toEqual([]);
    expect(await plugin.deleteUsers(doomed("life-5", "never-was", "life-5"))).toEqual([null, null, null]);
  });

  test("a creation that fails halfway leaves nothing, and says which statement it was", async () => {
    const creation = createLogin(
      plugin,
      "life-6",
      "hunter2",
      "SELECT 1",
      `CREATE DATABASE x; SELECT '{{password}}'`,
    );
    expect(await failureOf(creation)).toMatchObject({
      name: "DatabaseError",
      kind: "statement",
      serverCode: "25001",
      message:
        "statement 3 of 4 failed: CREATE DATABASE cannot run inside a transaction block (SQLSTATE 25001)",
    });
    expect(await roles("life-6")).toEqual([]);
  });

  test("an error carries neither the password nor its verifier", async () => {
    for (const method of ["password", "scram-sha-256"]) {
      const admin = await server.createAdmin("createrole");
      const other = openPlugin(server, admin, database, { password_authentication: method });
      for (const statement of ["SELECT '{{password}}'::int", "SELECT {{password}}"]) {
        const error = await failureOf(createLogin(other, "life-7", "hunter2 rest", statement));
        expect(error.message).toContain("[password]");
        for (const piece of ["hunter2", "rest", "SCRAM"]) expect(error.message).not.toContain(piece);
        expect(error.cause).toBeUndefined();
      }
      await other.close();
    }
  });

  test("creation without statements is refused as a bad request", async () => {
    const user = { username: "life-8", password: "x", expiresAt: 0 };
    for (const creationStatements of [[], [" ", ";"]]) {
      const error = await failureOf(plugin.newUser({ ...user, creationStatements }));
      expect(error).toMatchObject({ status: 400, errors: ["empty creation statements"] });
    }
  });

  test("the server is told how long a statement of a creation and its locks may take", async () => {
    const names = ["statement_timeout", "lock_timeout", "transaction_isolation"];
    const shown = names.map((name) => `current_setting('${name}')`).join(" || ' ' || ");
    const block = `DO $$ BEGIN RAISE EXCEPTION '%', ${shown}; END $$`;
    const error = await failureOf(createLogin(plugin, "life-7", "x", block));
    expect(error.message).toBe("statement 2 of 2 failed: 25s 20s read committed (SQLSTATE P0001)");
  });

  test("an idle connection does not keep the process alive", async () => {
    const admin = await server.createAdmin("createrole");
    const url = server.url({ database, user: admin.username, password: admin.password });
    const folder = "../../../../src/engines/database/plugins/postgresql/plugin.ts";
    const script = `
        const { postgresql } = await import(${JSON.stringify(new URL(folder, import.meta.url).href)});
        const context = { clock: { now: Date.now, sleep: () => Promise.resolve() } };
        await postgresql.open({ connection_url: ${JSON.stringify(url)} }, context).verify();
        process.stdout.write("verified");`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
    expect(await new Response(child.stdout).text()).toBe("verified");
    expect(await child.exited).toBe(0);
  });

  test("a block is run whole, and everything shares one transaction with the user", async () => {
    const block = `DO $$ BEGIN EXECUTE 'COMMENT ON ROLE "{{name}}" IS ''made; here'''; END $$;`;
    await createLogin(plugin, "life-9", "x", block);
    const comment = await server.query(
      "SELECT shobj_description(oid, 'pg_authid') AS c FROM pg_roles WHERE rolname = 'life-9'",
    );
    expect(comment).toEqual([{ c: "made; here" }]);
  });

  test("custom revocation runs as given, and an absent user does not need it", async () => {
    await createLogin(plugin, "life-10", "x");
    const statements = [`ALTER ROLE "{{name}}" NOLOGIN`, `ALTER ROLE "{{username}}" RENAME TO "was-life-10"`];
    const user = { username: "life-10", revocationStatements: statements };
    const open = await server.connect({ user: "life-10", password: "x" });
    const ended = new Promise((resolve) => open.once("end", () => resolve("ended")));
    expect(await plugin.deleteUsers([user])).toEqual([null]);
    expect(await ended).toBe("ended");
    expect(await roles("%life-10")).toEqual(["was-life-10"]);
    const broken = { username: "life-10", revocationStatements: ["not even SQL"] };
    expect(await plugin.deleteUsers([broken])).toEqual([null]);
  });

  test("custom revocation that fails changes nothing and says so", async () => {
    await createLogin(plugin, "life-11", "x");
    const statements = [`DROP ROLE "{{name}}"; SELECT 1/0`];
    const [outcome] = await plugin.deleteUsers([{ username: "life-11", revocationStatements: statements }]);
    expect(outcome).toMatchObject({
      kind: "statement",
      message: 'revoking role "life-11": statement 2 of 2 failed: division by zero (SQLSTATE 22012)',
    });
    expect(await roles("life-11")).toEqual(["life-11"]);
  });

  test("names with quotes and other odd characters are handled", async () => {
    const names = ['a"b', "it's", "semi;colon", "back\\slash", "$1 {{name}}", "ümlaut"];
    for (const name of names) {
      const quoted = name.replaceAll('"', '""');
      await plugin.newUser({
        username: quoted,
        password: "x",
        expiresAt: 0,
        creationStatements: [CREATE_LOGIN],
      });
      await plugin.setPassword(name, `p ${name}`, []);
      await plugin.setExpiration(name, Date.now() + HOUR_MS, []);
      await (await server.connect({ user: name, password: `p ${name}` })).end();
    }
    expect(await plugin.deleteUsers(doomed(...names))).toEqual(names.map(() => null));
    expect(await server.query("SELECT rolname FROM pg_roles WHERE rolname = ANY($1)", [names])).toEqual([]);
  });

  test.each(["superuser", "createrole"] as const)(
    "an administrator (%s) with odd characters in name and password logs in, by URL and by key=value",
    async (kind) => {
      const admin = await server.createAdmin(kind, `ad:min @/${kind}`, "p@s:s/w%25 '\\é?#");
      const dsn = `host=127.0.0.1 port=${server.port} user={{username}} password={{password}} dbname=${database}`;
      for (const more of [{}, { connection_url: dsn }]) {
        const odd = openPlugin(server, admin, database, more);
        await odd.verify();
        await odd.close();
      }
    },
  );

  test("a wrong password is told from a server that does not answer", async () => {
    const admin = await server.createAdmin("createrole");
    const wrong = openPlugin(server, { ...admin, password: "hunter2" }, database);
    const refused = await failureOf(wrong.verify());
    expect(refused).toMatchObject({ kind: "auth", serverCode: "28P01" });
    expect(refused.message).not.toContain("hunter2");
    const url = "postgresql://{{username}}:{{password}}@127.0.0.1:1/x?sslmode=disable";
    const nobody = openPlugin(server, admin, database, { connection_url: url });
    expect(await failureOf(nobody.verify())).toMatchObject({ kind: "unreachable" });
    const [outcome] = await nobody.deleteUsers(doomed("x"));
    expect(outcome).toMatchObject({ kind: "unreachable" });
  });

  test("a Unix socket, IPv6 and a list of hosts lead to the server", async () => {
    const admin = await server.createAdmin("createrole");
    const login = "user='{{username}}' password='{{password}}'";
    const urls = [
      `host=${server.socketDirectory} port=${server.port} ${login} dbname=${database} sslmode=verify-full`,
      `postgresql://{{username}}:{{password}}@127.0.0.1:1,127.0.0.1:${server.port}/${database}?target_session_attrs=primary`,
      `postgresql://{{username}}:{{password}}@[::1]:${server.port}/${database}`,
    ];
    for (const url of urls) {
      const other = openPlugin(server, admin, database, { connection_url: url });
      await other.verify();
      await other.close();
    }
  });
});
