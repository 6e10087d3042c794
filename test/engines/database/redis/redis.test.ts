import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { JsonObject } from "../../../../src/base/json.ts";
import type { DatabasePlugin } from "../../../../src/engines/database/plugin.ts";
import { redis, valkey } from "../../../../src/engines/database/plugins/redis/plugin.ts";
import { REDIS_ADMIN, type RedisServer, redisMissing, startRedis } from "../../../servers/redis.ts";
import { context, doomed, failureOf } from "../plugin-context.ts";

const missing = redisMissing();
setDefaultTimeout(60_000);

function open(server: RedisServer, more: JsonObject = {}, type = redis): DatabasePlugin {
  return type.open({ host: "127.0.0.1", port: server.port, ...REDIS_ADMIN, ...more }, context);
}

const RULES = JSON.stringify(["~app:*", "+get", "+set", "+ping"]);

function create(plugin: DatabasePlugin, username: string, password: string, ...statements: string[]) {
  return plugin.newUser({ username, password, expiresAt: 0, creationStatements: statements });
}

describe.skipIf(missing !== undefined)(
  `Redis${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let server: RedisServer;
    let plugin: DatabasePlugin;
    beforeAll(async () => {
      server = await startRedis();
      plugin = open(server);
    });
    afterAll(async () => {
      await plugin?.close();
      await server?.stop();
    });

    const users = async () => (await server.run(REDIS_ADMIN, ["ACL", "USERS"]))[0];

    test("a created user can do what its rules say, and nothing else", async () => {
      await plugin.verify();
      await create(plugin, "U_1", "p w'1", RULES);
      const login = { username: "U_1", password: "p w'1" };
      expect(await server.run(login, ["SET", "app:x", "1"], ["GET", "app:x"])).toEqual(["OK", "1"]);
      expect((await failureOf(server.run(login, ["GET", "other"]))).message).toStartWith("NOPERM");
      expect((await failureOf(server.run(login, ["CONFIG", "GET", "*"]))).message).toStartWith("NOPERM");
    });

    test("without statements a user may read everything", async () => {
      await create(plugin, "U_2", "x");
      const login = { username: "U_2", password: "x" };
      expect(await server.run(login, ["GET", "anything"])).toEqual([null]);
      expect((await failureOf(server.run(login, ["SET", "a", "b"]))).message).toStartWith("NOPERM");
    });

    test("the server keeps a hash of the password and never sees it", async () => {
      const [before] = await server.run(REDIS_ADMIN, ["ACL", "LIST"]);
      await create(plugin, "U_3", "hunter2", RULES);
      const [after] = await server.run(REDIS_ADMIN, ["ACL", "LIST"]);
      expect(JSON.stringify(before)).not.toContain("U_3");
      expect(JSON.stringify(after)).toMatch(/user U_3 on (?:sanitize-payload )?#/);
      const [slow] = await server.run(REDIS_ADMIN, ["SLOWLOG", "GET", "100"]);
      expect(JSON.stringify(slow)).not.toContain("hunter2");
    });

    test("a wrong rule leaves nothing, and the error does not show the password", async () => {
      const error = await failureOf(create(plugin, "U_4", "hunter2", '["+get", "+@nonsense"]'));
      expect(error).toMatchObject({ name: "DatabaseError", kind: "statement", serverCode: "ERR" });
      expect(error.message).toContain("+@nonsense");
      expect(error.message).not.toContain("hunter2");
      expect(await users()).not.toContain("U_4");
    });

    test.each([["~* +get"], ['{"a":1}'], ['["+get", 1]']])(
      "statements that are no list of rules are refused: %s",
      async (text) => {
        const error = await failureOf(create(plugin, "U_5", "x", text));
        expect(error).toMatchObject({ status: 400 });
        expect(error.message).toStartWith("error unmarshalling REDIS rules in the creation statement JSON: ");
        expect(await users()).not.toContain("U_5");
      },
    );

    test("a deleted user is gone with its sessions, and deleting it again is a success", async () => {
      await create(plugin, "U_6", "x", RULES);
      const session = await server.session({ username: "U_6", password: "x" });
      expect(await plugin.deleteUsers(doomed("U_6", "U_NEVER"))).toEqual([null, null]);
      await session.ended;
      expect((await failureOf(server.run({ username: "U_6", password: "x" }))).message).toStartWith(
        "WRONGPASS",
      );
      expect(await users()).not.toContain("U_6");
      expect(await plugin.deleteUsers(doomed("U_6"))).toEqual([null]);
    });

    test("many are deleted over one connection", async () => {
      const names = Array.from({ length: 200 }, (_, index) => `MANY_${index}`);
      await Promise.all(names.map((name) => create(plugin, name, "x", RULES)));
      expect(await plugin.deleteUsers(doomed(...names))).toEqual(names.map(() => null));
      expect(JSON.stringify(await users())).not.toContain("MANY_");
    });

    test("a changed password is the one that works; one of an absent user is an error, not a new user", async () => {
      await create(plugin, "U_7", "old", RULES);
      await plugin.setPassword("U_7", "new", []);
      expect(await server.run({ username: "U_7", password: "new" }, ["PING"])).toEqual(["PONG"]);
      expect((await failureOf(server.run({ username: "U_7", password: "old" }))).message).toStartWith(
        "WRONGPASS",
      );
      const error = await failureOf(plugin.setPassword("U_GONE", "x", []));
      expect(error).toMatchObject({
        kind: "statement",
        message: 'changing the password failed: user "U_GONE" was not found',
      });
      expect(await users()).not.toContain("U_GONE");
    });

    test("a server that cannot keep its users changes no password", async () => {
      await create(plugin, "U_12", "old", RULES);
      const kept = open(server, { persistence_mode: "aclfile" });
      // It is told so when it is configured, too.
      expect(await failureOf(kept.verify())).toMatchObject({
        kind: "statement",
        message: expect.stringContaining("ACL file"),
      });
      const error = await failureOf(kept.setPassword("U_12", "new", []));
      expect(error).toMatchObject({ kind: "statement", message: expect.stringContaining("ACL file") });
      expect(await server.run({ username: "U_12", password: "old" }, ["PING"])).toEqual(["PONG"]);
      await kept.close();
    });

    test("the administrator's own password can be changed", async () => {
      await server.run(REDIS_ADMIN, ["ACL", "SETUSER", "root2", "on", ">first", "~*", "&*", "+@all"]);
      const own = open(server, { username: "root2", password: "first" });
      await own.setPassword("root2", "second", []);
      await own.close();
      const after = open(server, { username: "root2", password: "second" });
      await after.verify();
      await after.close();
      const before = open(server, { username: "root2", password: "first" });
      expect(await failureOf(before.verify())).toMatchObject({ kind: "auth", serverCode: "WRONGPASS" });
      await before.close();
    });

    test("an administrator that may not end sessions still deletes users, and their sessions with them", async () => {
      await server.run(REDIS_ADMIN, ["ACL", "SETUSER", "acl-only", "on", ">x", "+acl", "+ping", "+hello"]);
      const weak = open(server, { username: "acl-only", password: "x" });
      await create(weak, "U_8", "x", RULES);
      const session = await server.session({ username: "U_8", password: "x" });
      expect(await weak.deleteUsers(doomed("U_8"))).toEqual([null]);
      await session.ended;
      await weak.close();
    });

    test("an administrator without rights is told so, one by one", async () => {
      await server.run(REDIS_ADMIN, ["ACL", "SETUSER", "powerless", "on", ">x", "+ping", "+hello"]);
      const weak = open(server, { username: "powerless", password: "x" });
      expect(await failureOf(create(weak, "U_9", "x"))).toMatchObject({
        kind: "statement",
        serverCode: "NOPERM",
      });
      const [outcome] = await weak.deleteUsers(doomed("U_1"));
      expect(outcome).toMatchObject({ kind: "statement", serverCode: "NOPERM" });
      await weak.close();
    });

    test("each statement of the plugin for Valkey is a rule", async () => {
      const other = open(server, {}, valkey);
      await create(other, "U_10", "x", "~app:*", "+set +get");
      expect(await server.run({ username: "U_10", password: "x" }, ["SET", "app:v", "1"])).toEqual(["OK"]);
      await other.close();
    });

    test("a server that went away and came back is used again", async () => {
      const other = await startRedis();
      const away = open(other);
      await away.verify();
      await other.kill();
      expect(await failureOf(away.verify())).toMatchObject({ kind: "unreachable" });
      expect(await failureOf(create(away, "U_11", "x"))).toMatchObject({ kind: "unreachable" });
      expect(await failureOf(away.deleteUsers(doomed("U_11")))).toMatchObject({ kind: "unreachable" });
      await other.restart();
      await away.verify();
      await away.close();
      await other.stop();
    });

    test.each([
      ["rewrite", {}],
      ["aclfile", { aclFile: true }],
    ] as const)(
      "with persistence_mode=%s a restart brings no revoked user back, and loses none",
      async (mode, options) => {
        const other = await startRedis(options);
        const kept = open(other, { persistence_mode: mode });
        await create(kept, "STAYS", "x", RULES);
        await create(kept, "GOES", "x", RULES);
        expect(await kept.deleteUsers(doomed("GOES"))).toEqual([null]);
        await other.kill();
        await other.restart();
        const [names] = await other.run(REDIS_ADMIN, ["ACL", "USERS"]);
        expect(names).toEqual(["STAYS", "default", REDIS_ADMIN.username]);
        await kept.close();
        await other.stop();
      },
    );

    test("TLS is verified by ca_cert, and only insecure_tls goes without", async () => {
      const other = await startRedis({ tls: true });
      const details = { tls: true, ca_cert: other.authority ?? "" };
      const secured = open(other, details);
      await secured.verify();
      await secured.close();
      const careless = open(other, { tls: true, insecure_tls: true });
      await careless.verify();
      await careless.close();
      const stranger = (await startRedis({ tls: true })) as RedisServer;
      const wrong = open(other, { tls: true, ca_cert: stranger.authority ?? "" });
      expect(await failureOf(wrong.verify())).toMatchObject({ kind: "unreachable" });
      await wrong.close();
      await stranger.stop();
      await other.stop();
    });
  },
);

describe("Redis without a server", () => {
  const details = { host: "127.0.0.1", port: 1, username: "a", password: "hunter2" };

  test.each(["host", "port", "username", "password"])("%s is required", async (name) => {
    expect(() => redis.open({ ...details, [name]: "" }, context)).toThrow(`${name} cannot be empty`);
  });

  test.each([
    [{ tls: true }, "ca_cert cannot be empty"],
    [{ port: 70_000 }, "port must be a whole number from 1 to 65535"],
    [{ persistence_mode: "often" }, "persistence_mode must be one of none, rewrite, aclfile"],
    [{ tls: true, ca_cert: "nonsense" }, "ca_cert is not a PEM text"],
  ])("%p is refused", (more, text) => {
    expect(() => redis.open({ ...details, ...more }, context)).toThrow(text);
  });

  test("nobody answering is told from a wrong password", async () => {
    const plugin = redis.open(details, context);
    const error = await failureOf(plugin.verify());
    expect(error).toMatchObject({ kind: "unreachable" });
    expect(error.message).toStartWith("error verifying connection: cannot connect to 127.0.0.1 port 1: ");
    expect(error.message).not.toContain("hunter2");
  });

  test("user names are Vault's", () => {
    const name = redis.defaultUsername("token", "my-role", context.random, 1_700_000_000_000);
    expect(name).toMatch(/^V_TOKEN_MY-ROLE_[A-Z0-9]{20}_1700000000$/);
  });
});
