/**
 * The database drivers inside the compiled binary: minified and cut into pieces, they must work, and their failures must still be
 * told apart. What the plugins do in full is in test/engines/database.
 */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { startTdsStub } from "../engines/database/mssql/tds-stub.ts";
import { Recorder, refused } from "../engines/database/recorder.ts";
import { CASSANDRA_ADMIN, cassandraMissing, startCassandra } from "../servers/cassandra.ts";
import { ferretdbMissing, MONGO_ADMIN, startFerretdb } from "../servers/ferretdb.ts";
import { REDIS_ADMIN, redisMissing, startRedis } from "../servers/redis.ts";
import { World } from "./world.ts";

setDefaultTimeout(120_000);

interface Login {
  readonly username: string;
  readonly password: string;
}

/** A server, as this test needs it. */
interface Backend {
  readonly plugin: string;
  readonly details: readonly string[];
  readonly admin: Login;
  /** Creation statements that work, and some that the server refuses. */
  readonly good: string;
  readonly bad: string | undefined;
  /** Removes a user behind the engine's back. */
  drop(username: string): Promise<unknown>;
  stop(): Promise<void> | void;
}

interface Case {
  readonly name: string;
  readonly missing: string | undefined;
  start(): Promise<Backend>;
}

const CASES: readonly Case[] = [
  {
    name: "Redis",
    missing: redisMissing(),
    start: async () => {
      const server = await startRedis();
      return {
        plugin: "redis-database-plugin",
        details: ["host=127.0.0.1", `port=${server.port}`],
        admin: REDIS_ADMIN,
        good: '["+ping"]',
        bad: '["+@nonsense"]',
        drop: (username) => server.run(REDIS_ADMIN, ["ACL", "DELUSER", username]),
        stop: server.stop,
      };
    },
  },
  {
    name: "MongoDB's driver, on FerretDB",
    missing: ferretdbMissing(),
    start: async () => {
      const server = await startFerretdb();
      return {
        plugin: "mongodb-database-plugin",
        details: [`connection_url=mongodb://{{username}}:{{password}}@127.0.0.1:${server.port}/admin`],
        admin: MONGO_ADMIN,
        good: '{"roles": [{"role": "read"}]}',
        bad: undefined,
        drop: (username) => server.run("admin", { dropUser: username }),
        stop: server.stop,
      };
    },
  },
  {
    name: "Cassandra",
    missing: cassandraMissing(),
    start: async () => {
      const server = await startCassandra();
      return {
        plugin: "cassandra-database-plugin",
        details: ["hosts=127.0.0.1", `port=${server.port}`],
        admin: CASSANDRA_ADMIN,
        good: "CREATE USER '{{name}}' WITH PASSWORD '{{password}}' NOSUPERUSER",
        bad: "CREATE NONSENSE",
        drop: (username) => server.query(`DROP USER '${username}'`),
        stop: server.stop,
      };
    },
  },
  {
    name: "Microsoft SQL Server's driver, on a stub of its protocol",
    missing: undefined,
    start: async () => {
      const admin = { username: "sa", password: "s3cret" };
      const rules = new Recorder(
        [/DB_NAME/, [{ name: "master" }]],
        [/server_principals/, []],
        [/nonsense/, refused("there is no nonsense", "102")],
      );
      const { port, stop } = await startTdsStub(rules, { password: admin.password });
      const url = `server=127.0.0.1;port=${port};user id={{username}};password={{password}};encrypt=disable`;
      return {
        plugin: "mssql-database-plugin",
        details: [`connection_url=${url}`],
        admin,
        good: "CREATE LOGIN [{{name}}] WITH PASSWORD = '{{password}}'",
        bad: "RUN nonsense",
        drop: async () => undefined,
        stop,
      };
    },
  },
];

for (const { name, missing, start } of CASES) {
  const title = `the binary's driver of ${name}${missing === undefined ? "" : ` (skipped: ${missing})`}`;
  describe.skipIf(missing !== undefined)(title, () => {
    const world = new World();
    let backend: Backend;
    beforeAll(async () => {
      backend = await start();
      await world.ok("operator init -seal=key-file");
      await world.ok("secrets enable database");
    });
    afterAll(async () => {
      await backend?.stop();
      world.remove();
    });

    const write = (connection: string, password: string) => {
      const { plugin, details, admin } = backend;
      const config = [
        `plugin_name=${plugin}`,
        `username=${admin.username}`,
        "password=-",
        "allowed_roles=*",
        ...details,
      ];
      return world.run(["write", `database/config/${connection}`, ...config], { stdin: password });
    };
    const writeRole = (role: string, statements: string) =>
      world.ok([
        "write",
        `database/roles/${role}`,
        "db_name=own",
        "default_ttl=1h",
        `creation_statements=${statements}`,
      ]);

    test("a wrong password is refused as one", async () => {
      const { code, stderr } = await write("wrong", "not-the-password");
      expect(code).toBe(2);
      expect(stderr).toContain("error creating database object: ");
      expect(stderr).not.toMatch(/cannot connect|not-the-password/);
    });

    test("users are issued, and ended, also when somebody was quicker", async () => {
      expect(await write("own", backend.admin.password)).toMatchObject({ code: 0 });
      await writeRole("good", backend.good);
      const issue = () => world.json<{ lease_id: string; data: Login }>("read database/creds/good");
      const [first, second] = [await issue(), await issue()];
      await world.ok(`lease revoke -sync ${first.lease_id}`);
      await backend.drop(second.data.username);
      await world.ok(`lease revoke -sync ${second.lease_id}`);
    });

    test("what the server refuses is said in its words", async () => {
      if (backend.bad === undefined) return;
      await writeRole("bad", backend.bad);
      const { code, stderr } = await world.run("read database/creds/bad");
      expect(code).toBe(2);
      expect(stderr).toMatch(/nonsense/i);
      expect(stderr).not.toContain("unreachable");
    });
  });
}

describe("the binary's other drivers", () => {
  const world = new World("vsec", { VSEC_PLUGIN_DIRECTORY: undefined });
  afterAll(() => world.remove());

  test("load, and tell that nobody answers; a program outside of the folder does not run", async () => {
    await world.ok("operator init -seal=key-file");
    await world.ok("secrets enable database");
    const login = ["username=a", "password=b"];
    const oracle = [
      "plugin_name=oracle-database-plugin",
      "connection_url={{username}}/{{password}}@127.0.0.1:1/XE",
    ];
    const search = ["plugin_name=elasticsearch-database-plugin", "url=https://127.0.0.1:1"];
    for (const [details, text] of [
      [oracle, "NJS-503"],
      [search, "ECONNREFUSED"],
      [
        ["plugin_name=exec-database-plugin", "program=/bin/sh"],
        "program must lie in /usr/local/lib/vsec/plugins",
      ],
    ] as const) {
      const { code, stderr } = await world.run(["write", "database/config/x", ...details, ...login]);
      expect(code).toBe(2);
      expect(stderr).toContain(text);
    }
  });

  test("a program runs where the folder is named", async () => {
    const folder = join(world.home, "plugins");
    mkdirSync(folder);
    const program = join(folder, "htpasswd-plugin");
    copyFileSync(join(import.meta.dir, "../../docs/examples/htpasswd-plugin"), program);
    chmodSync(program, 0o755);
    const file = join(world.home, world.file("passwords", ""));
    const env = { VSEC_PLUGIN_DIRECTORY: folder };
    const details = [
      "plugin_name=exec-database-plugin",
      `program=${program}`,
      `file=${file}`,
      "allowed_roles=*",
    ];
    await world.ok(["write", "database/config/web", ...details], { env });
    await world.ok("write database/roles/visitor db_name=web default_ttl=1h", { env });
    const { data } = await world.json<{ data: Login }>("read database/creds/visitor", { env });
    expect(data.username).toStartWith("v-root-visitor-");
    await world.ok("lease revoke -sync -prefix database/", { env });
  });
});
