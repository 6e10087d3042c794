import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { CoreWorld, dataOf } from "../../../core/world.ts";
import { REDIS_ADMIN, type RedisServer, redisMissing, startRedis } from "../../../servers/redis.ts";
import { probesOnRecord, warningsOf } from "../probes.ts";
import { startProxy, type TcpProxy } from "../proxy.ts";

const missing = redisMissing();
setDefaultTimeout(60_000);
const FOUR_MINUTES = 240;

describe.skipIf(missing !== undefined)(
  `the preflight of Redis${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let server: RedisServer;
    let proxy: TcpProxy;
    let world: CoreWorld;
    beforeAll(async () => {
      server = await startRedis();
      proxy = await startProxy(server.port);
      world = await CoreWorld.create();
      await world.put("sys/mounts/database", { type: "database" });
    });
    afterAll(async () => {
      await world?.core.close();
      await proxy?.close();
      await server?.stop();
    });

    /** Configures a connection whose administrator has these rules. */
    const configure = async (username: string, rules: readonly string[], port = server.port) => {
      const password = "adm1n-s3cret";
      await server.run(REDIS_ADMIN, ["ACL", "SETUSER", username, "reset", "on", `>${password}`, ...rules]);
      return world.put("database/config/cache", {
        plugin_name: "redis-database-plugin",
        ...{ host: "127.0.0.1", port, username, password },
      });
    };
    const probes = async () => {
      const [users] = await server.run(REDIS_ADMIN, ["ACL", "USERS"]);
      return (users as string[]).filter((user) => user.startsWith("V_PREFLIGHT_"));
    };

    test("is content with what the documentation asks for, and leaves nobody", async () => {
      const answer = await configure("documented", ["+ping", "+acl", "+client|kill"]);
      expect(answer).toEqual({ status: 204, body: null });
      await world.put("database/roles/reader", {
        db_name: "cache",
        creation_statements: ['["~app:*", "+get"]'],
      });
      for (const body of [{}, { role: "reader" }]) {
        const tried = await world.put("database/preflight/cache", body);
        expect(dataOf(tried)).toEqual({ problems: [], ready: true });
      }
      expect({ probes: await probes(), onRecord: await probesOnRecord(world) }).toEqual({
        probes: [],
        onRecord: [],
      });
    });

    test.each([
      ["look for a user", "acl|getuser", ["+acl|setuser", "+acl|deluser"]],
      ["delete users", "acl|deluser", ["+acl|setuser", "+acl|getuser"]],
      ["make a user", "acl|setuser", ["+acl|deluser", "+acl|getuser"]],
    ])("says that it cannot %s without %s, and leaves nobody", async (what, command, rules) => {
      const answer = await configure("lesser", ["+ping", ...rules]);
      const cannot = `The administrator "lesser" cannot ${what}: `;
      const [warning = "", ...more] = warningsOf(answer);
      expect(more).toEqual([]);
      expect(warning).toStartWith(cannot);
      expect(warning).toContain(`'${command}' command; grant it with: ACL SETUSER lesser +${command}`);
      expect({ probes: await probes(), onRecord: await probesOnRecord(world) }).toEqual({
        probes: [],
        onRecord: [],
      });
      await server.run(REDIS_ADMIN, ["ACL", "SETUSER", "lesser", `+${command}`]);
      expect(dataOf(await world.put("database/preflight/cache"))).toEqual({ problems: [], ready: true });
    });

    test("a user that was made when the connection broke is dropped by due work", async () => {
      proxy.cutAfter("SETUSER");
      const answer = await configure("cut", ["+ping", "+acl"], proxy.port);
      proxy.cutAfter(undefined);
      expect(warningsOf(answer)).toEqual([
        expect.stringContaining("The administrator's privileges could not be tried: "),
      ]);
      const onRecord = await probesOnRecord(world);
      expect(onRecord.length).toBe(1);
      await server.run(REDIS_ADMIN, ["ACL", "SETUSER", onRecord[0] ?? "", "on"]);
      for (const _ of ["first", "second"]) {
        world.advance(FOUR_MINUTES);
        expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
        expect(await probes()).toEqual([]);
      }
      expect({ probes: await probes(), onRecord: await probesOnRecord(world) }).toEqual({
        probes: [],
        onRecord: [],
      });
    });

    test("one that cannot be dropped stays on record, and is tried again ever more slowly", async () => {
      proxy.cutAfter("SETUSER");
      await configure("cut-again", ["+ping", "+acl"], proxy.port);
      proxy.cutAfter(undefined);
      const onRecord = await probesOnRecord(world);
      await server.kill();
      world.advance(FOUR_MINUTES);
      expect(await world.daemon()).toEqual({ done: 0, failed: 1 });
      for (const [pause, attempts] of [
        [59, 0],
        [2, 1],
        [100, 0],
        [21, 1],
      ] as const) {
        world.advance(pause);
        expect(await world.daemon()).toEqual({ done: 0, failed: attempts });
      }
      expect(await probesOnRecord(world)).toEqual(onRecord);
      await server.restart();
      await server.run(REDIS_ADMIN, ["ACL", "SETUSER", "cut-again", "on", ">adm1n-s3cret", "+ping", "+acl"]);
      for (const _ of ["first", "second"]) {
        world.advance(241);
        expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
      }
      expect(await probesOnRecord(world)).toEqual([]);
    });
  },
);
