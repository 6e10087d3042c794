import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { JsonObject } from "../../../../src/base/json.ts";
import { CoreWorld, dataOf } from "../../../core/world.ts";
import { type MysqlLogin, type MysqlServer, startMysql } from "../../../servers/mysql.ts";
import { probesOnRecord, warningsOf } from "../probes.ts";
import { startProxy, type TcpProxy } from "../proxy.ts";
import { CREATE_USER, onEachFlavour } from "./fixture.ts";

const FOUR_MINUTES = 240;

onEachFlavour((flavour) => {
  let server: MysqlServer;
  let proxy: TcpProxy;
  let world: CoreWorld;
  let before: readonly string[];
  beforeAll(async () => {
    server = await startMysql({ flavour });
    proxy = await startProxy(server.port);
    world = await CoreWorld.create();
    await world.put("sys/mounts/database", { type: "database" });
  });
  beforeEach(async () => {
    before = await server.users();
  });
  afterAll(async () => {
    await world?.core.close();
    await proxy?.close();
    await server?.stop();
  });

  const kill = flavour === "MariaDB" ? "CONNECTION ADMIN" : "CONNECTION_ADMIN";
  const configure = (admin: MysqlLogin, more: JsonObject = {}) =>
    world.put("database/config/my", {
      plugin_name: "mysql-database-plugin",
      connection_url: server.url(),
      ...admin,
      ...more,
    });
  /** A new administrator, and a new beginning of what counts as made. */
  const newAdmin = async (privileges?: string): Promise<MysqlLogin> => {
    const admin = await server.createAdmin(undefined, privileges);
    before = await server.users();
    return admin;
  };
  /** The sentence about something that an administrator lacks. */
  const lacks = ({ username }: MysqlLogin, what: string, code: number, grant: string, option = "") => {
    const plain = (text: string) => text.replace(/[^\w ]/g, "\\$&");
    const remedy = plain(`(error ${code}); grant it with: GRANT ${grant} TO '${username}'@'%'${option}`);
    return expect.stringMatching(
      new RegExp(`^[Tt]he administrator "${username}" cannot ${plain(what)}: .+ ${remedy}$`),
    );
  };
  const made = async () => (await server.users()).filter((user) => !before.includes(user));
  const expectNothingLeft = async () => {
    expect(await made()).toEqual([]);
    expect(await probesOnRecord(world)).toEqual([]);
  };

  /** The daemon drops who is on record, and looks once more when nobody can be making it any longer. */
  const expectDropped = async () => {
    for (const _ of ["first", "second"]) {
      expect((await probesOnRecord(world)).length).toBe(1);
      world.advance(FOUR_MINUTES);
      expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
      expect(await made()).toEqual([]);
    }
    await expectNothingLeft();
  };

  test("an administrator with what the documentation asks for is configured without a word, and nobody is left", async () => {
    expect(await configure(await newAdmin())).toEqual({ status: 204, body: null });
    expect(dataOf(await world.put("database/preflight/my"))).toEqual({ problems: [], ready: true });
    await expectNothingLeft();
  });

  test("one that could not take a user away again is told what it lacks, and no user is made", async () => {
    const admin = await newAdmin("");
    await server.query(`REVOKE SELECT ON mysql.user FROM '${admin.username}'@'%'`);
    const log = await statementsOf(() => configure(admin));
    expect(warningsOf(log.answer)).toEqual([
      lacks(admin, "look for a user's accounts", 1142, "SELECT ON mysql.user"),
      lacks(admin, "see the sessions of users", 1227, "PROCESS ON *.*"),
      lacks(admin, "make and drop users", 1227, "CREATE USER ON *.*"),
    ]);
    expect(log.creations).toBe(0);
    await expectNothingLeft();
  });

  /** Does something, and counts the users that were made meanwhile, also those that are gone. */
  async function statementsOf<T>(work: () => Promise<T>): Promise<{ answer: T; creations: number }> {
    const count = async () => {
      const [row] = await server.query("SHOW GLOBAL STATUS LIKE 'Com_create_user'");
      return Number(row?.Value);
    };
    const from = await count();
    return { answer: await work(), creations: (await count()) - from };
  }

  test("one that may not end sessions is told so, after it was tried on one", async () => {
    const admin = await newAdmin("CREATE USER, PROCESS");
    const { answer, creations } = await statementsOf(() => configure(admin));
    expect(warningsOf(answer)).toEqual([lacks(admin, "end the sessions of a user", 1095, `${kill} ON *.*`)]);
    expect(creations).toBe(1);
    await expectNothingLeft();
    await server.query(`GRANT ${kill} ON *.* TO '${admin.username}'@'%'`);
    expect((await configure(admin)).status).toBe(204);
  });

  test("a role that grants what the administrator may not hand on is told of, with the grants", async () => {
    const admin = await newAdmin();
    await configure(admin);
    const creation_statements = [CREATE_USER, "GRANT UPDATE ON app.* TO '{{name}}'@'%'"];
    await world.put("database/roles/writer", { db_name: "my", creation_statements });
    const { problems, ready } = dataOf(await world.put("database/preflight/my", { role: "writer" }));
    expect(ready).toBe(false);
    expect(problems).toEqual([
      lacks(admin, "run the creation statements of the role", 1044, "UPDATE ON app.*", " WITH GRANT OPTION"),
    ]);
    expect(await made()).toEqual([]);
    // A creation of several statements that failed is dropped once more, when it must have ended on the server too.
    await expectDropped();
  });

  test("a role's own revocation is tried too, and what it leaves is taken away", async () => {
    const admin = await newAdmin();
    await configure(admin);
    await world.put("database/roles/clumsy", {
      db_name: "my",
      creation_statements: CREATE_USER,
      revocation_statements: "DROP USER 'somebody-else'@'%'",
    });
    expect(dataOf(await world.put("database/preflight/my", { role: "clumsy" }))).toEqual({
      problems: [expect.stringMatching(/ cannot take a user away: .*somebody-else.* \(error 1396\)$/)],
      ready: false,
    });
    await expectNothingLeft();
  });

  test("a connection that is lost in the middle is told of, the configuration is taken, and due work drops the user", async () => {
    const admin = await newAdmin();
    const url = `{{username}}:{{password}}@tcp(127.0.0.1:${proxy.port})/`;
    proxy.cutAfter("CREATE USER");
    const answer = await configure(admin, { connection_url: url });
    proxy.cutAfter(undefined);
    expect({ status: answer.status, warnings: warningsOf(answer) }).toEqual({
      status: 200,
      warnings: [expect.stringContaining("The administrator's privileges could not be tried: ")],
    });
    const [left = ""] = await probesOnRecord(world);
    expect(left).toMatch(/^v-preflight-probe-/);
    // Reconciliation leaves it to the due work.
    await server.query(`CREATE USER IF NOT EXISTS '${left}'@'%'`);
    expect(dataOf(await world.get("database/reconcile/my"))).toMatchObject({ unknown: [] });
    await expectDropped();
  });

  test("a mount whose preflight may be under way goes when that is over, and takes the user with it", async () => {
    const admin = await newAdmin();
    await world.put("sys/mounts/going", { type: "database" });
    const url = `{{username}}:{{password}}@tcp(127.0.0.1:${proxy.port})/`;
    proxy.cutAfter("CREATE USER");
    await world.put("going/config/my", {
      plugin_name: "mysql-database-plugin",
      ...admin,
      connection_url: url,
    });
    proxy.cutAfter(undefined);
    const left = (await probesOnRecord(world)).at(-1) ?? "";
    await server.query(`CREATE USER IF NOT EXISTS '${left}'@'%'`);
    await world.send("DELETE", "sys/mounts/going");
    expect(await probesOnRecord(world)).toEqual([left]);
    for (const _ of [1, 2, 3]) {
      world.advance(FOUR_MINUTES);
      await world.daemon();
    }
    await expectNothingLeft();
  });
});
