/** A day with one database: from the store's beginning to the engine's end. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import {
  type PostgresServer,
  type PostgresVersion,
  postgresMissing,
  startPostgres,
} from "../servers/postgres.ts";
import { CREATE_USER, type Creds, connectionUrl, logsIn, readCreds, usersOn } from "./database.ts";
import { shownAt, type Transport } from "./transport.ts";
import { World } from "./world.ts";

/** The rows of a table answer, by key. */
function rowsOf(stdout: string): Record<string, string> {
  const [head, dashes, ...rows] = stdout.trimEnd().split("\n");
  expect([head?.split(/ {2,}/), dashes?.split(/ {2,}/)]).toEqual([
    ["Key", "Value"],
    ["---", "-----"],
  ]);
  return Object.fromEntries(rows.map((row) => row.split(/ {4,}/) as [string, string]));
}

const errorBlock = (prefix: string, request: string, code: number, text: string): string =>
  `${prefix}: Error making API request.\n\nURL: ${request}\nCode: ${code}. Errors:\n\n* ${text}\n`;

const ended = (client: pg.Client): Promise<unknown> => new Promise((done) => client.once("end", done));

export function sessionOver(transport: Transport, version: PostgresVersion): void {
  const title = `a session against PostgreSQL ${version} (${transport})`;
  describe.skipIf(postgresMissing(version) !== undefined)(title, () => session(transport, version));
}

function session(transport: Transport, version: PostgresVersion): void {
  const world = new World();
  const remoteError = (...parts: Parameters<typeof errorBlock>): string =>
    shownAt(world.address, errorBlock(...parts));
  let server: PostgresServer;
  let first: Creds;
  beforeAll(async () => {
    server = await startPostgres({ version });
    await world.reachOver(transport);
  });
  afterAll(async () => {
    await server?.stop();
    await world.close();
  });

  test("before init there is no store", async () => {
    const status = await world.run("status");
    expect(status).toMatchObject({ code: 2, stderr: "" });
    expect(rowsOf(status.stdout)).toMatchObject({ Initialized: "false", Sealed: "true" });
    expect(await world.run("operator init -status")).toMatchObject({
      code: 2,
      stdout: "Vault is not initialized\n",
    });
    const read = await world.run("read database/creds/app");
    expect(read).toMatchObject({ code: 2, stdout: "" });
    // A daemon answers as Vault does; what is to be done then, its log says.
    const says = transport === "process" ? "run 'vsec operator init' to create one" : "* Vault is sealed\n";
    expect(read.stderr).toContain(says);
  });

  test("operator init makes a store, and keeps the token for its owner alone", async () => {
    const init = await world.run("operator init -seal=key-file");
    expect(init.code).toBe(0);
    expect(init.stdout).toMatch(/^Initial Root Token: hvs\.\w{24}\n$/);
    const token = init.stdout.trim().split(" ").at(-1) ?? "";
    expect(await world.ok("print token")).toBe(`${token}\n`);
    expect(init.stderr).not.toContain(token);
    expect(statSync(world.tokenFile).mode & 0o777).toBe(0o600);
    expect(statSync(world.store).mode & 0o777).toBe(0o700);
    expect(statSync(join(world.store, "store.db")).mode & 0o777).toBe(0o600);
  });

  test("a second init is refused, and changes nothing", async () => {
    const token = await world.ok("print token");
    expect(await world.run("operator init")).toMatchObject({
      code: 2,
      stdout: "",
      stderr: remoteError(
        "Error initializing",
        "PUT vsec://local/v1/sys/init",
        400,
        "Vault is already initialized",
      ),
    });
    expect(await world.ok("print token")).toBe(token);
    expect(await world.ok("operator init -status")).toBe("Vault is initialized\n");
  });

  test("status says what the store is", async () => {
    const rows = rowsOf(await world.ok("status"));
    expect(Object.keys(rows)).toEqual([
      ...["Seal Type", "Initialized", "Sealed", "Total Shares", "Threshold", "Version", "Build Date"],
      ...["Storage Type", "Cluster Name", "Cluster ID", "HA Enabled"],
    ]);
    expect(rows).toMatchObject({
      "Seal Type": "key-file",
      Initialized: "true",
      Sealed: "false",
      "HA Enabled": "false",
    });
    expect(await world.json("status")).toMatchObject({ type: "key-file", sealed: false, initialized: true });
  });

  test("an engine is enabled, configured and given a role", async () => {
    expect(await world.ok("secrets enable database")).toBe(
      "Success! Enabled the database secrets engine at: database/\n",
    );
    const admin = await server.createAdmin("createrole", "vsec_admin");
    const config = [
      ...["write", "database/config/pg", "plugin_name=postgresql-database-plugin", "allowed_roles=app,short"],
      ...[`connection_url=${connectionUrl(server)}`, `username=${admin.username}`, "password=-"],
    ];
    expect(await world.ok(config, { stdin: admin.password })).toBe(
      "Success! Data written to: database/config/pg\n",
    );
    world.file("create.sql", CREATE_USER);
    const role =
      "write database/roles/app db_name=pg creation_statements=@create.sql default_ttl=1h max_ttl=24h";
    expect(await world.ok(role)).toBe("Success! Data written to: database/roles/app\n");
    expect(await world.ok("list database/roles")).toBe("Keys\n----\napp\n");
    const shown = await world.ok("read database/config/pg");
    expect(rowsOf(shown)).toMatchObject({
      allowed_roles: "[app short]",
      plugin_name: "postgresql-database-plugin",
    });
    expect(shown).not.toContain(admin.password);
  });

  test("a credential is a database user that logs in until its lease ends", async () => {
    const table = await world.ok("read database/creds/app");
    expect(table).toMatch(
      new RegExp(
        [
          "^Key {16}Value",
          "--- {16}-----",
          "lease_id {11}database/creds/app/\\w{24}",
          "lease_duration {5}1h",
          "lease_renewable {4}true",
          "password {11}[\\w-]{20}",
          "username {11}v-root-app-\\w{20}-\\d{10}\n$",
        ].join("\n"),
      ),
    );
    first = await readCreds(world);
    expect(Object.keys(first)).toEqual([
      ...["request_id", "lease_id", "lease_duration", "renewable", "data", "warnings", "mount_type"],
    ]);
    expect(first).toMatchObject({
      lease_duration: 3600,
      renewable: true,
      warnings: null,
      mount_type: "database",
    });
    expect(await logsIn(server, first.data)).toBe(true);
    const [row] = await server.query(
      "SELECT rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolvaliduntil FROM pg_roles WHERE rolname = $1",
      [first.data.username],
    );
    expect(row).toMatchObject({
      rolsuper: false,
      rolcreaterole: false,
      rolcreatedb: false,
      rolcanlogin: true,
    });
    const lease = await lookUp();
    // The database's own expiry comes 5 s after the lease's.
    expect(row?.rolvaliduntil.getTime()).toBe(Math.trunc(lease.expiresAt / 1000) * 1000 + 5000);
  });

  async function lookUp(): Promise<{ expiresAt: number; data: Record<string, unknown> }> {
    const { data } = await world.json<{ data: Record<string, unknown> }>(`lease lookup ${first.lease_id}`);
    return { expiresAt: Date.parse(String(data.expire_time)), data };
  }

  test("a lease is found by its id, by its user, in the list and by its path", async () => {
    const id = first.lease_id;
    const byId = await world.ok(`lease lookup ${id}`);
    expect(rowsOf(byId)).toMatchObject({
      id,
      last_renewal: "<nil>",
      renewable: "true",
      path: "database/creds/app",
    });
    expect(Object.keys(rowsOf(byId))).toEqual(Object.keys(rowsOf(byId)).sort());
    const { data } = await lookUp();
    const found = { id, issue_time: data.issue_time, expire_time: data.expire_time };
    for (const line of [
      `lease lookup ${first.data.username}`,
      `read sys/leases/lookup/${id}`,
      `write sys/leases/lookup lease_id=${id}`,
    ]) {
      expect((await world.json<{ data: unknown }>(line)).data).toMatchObject(found);
    }
    const names = await world.json<string[]>("list sys/leases/lookup/database/creds/app");
    expect(names).toContain(id.split("/").at(-1) ?? "");
    expect(names).toHaveLength(2);
    expect(await world.ok("list sys/leases/lookup/database")).toBe("Keys\n----\ncreds/\n");
  });

  test("a renewal moves the lease's end and the user's", async () => {
    const renewed = await world.ok(`lease renew -increment=2h ${first.lease_id}`);
    expect(rowsOf(renewed)).toEqual({
      lease_id: first.lease_id,
      lease_duration: "2h",
      lease_renewable: "true",
    });
    const [row] = await server.query("SELECT rolvaliduntil FROM pg_roles WHERE rolname = $1", [
      first.data.username,
    ]);
    const { expiresAt, data } = await lookUp();
    expect(row?.rolvaliduntil.getTime()).toBe(Math.trunc(expiresAt / 1000) * 1000 + 5000);
    expect(expiresAt - Date.parse(String(data.last_renewal))).toBe(7200_000);
    expect(await world.json(`write sys/leases/renew lease_id=${first.lease_id} increment=90`)).toMatchObject({
      lease_duration: 90,
      data: null,
    });
  });

  test("a renewal beyond the role's maximum is cut, with a warning beside the answer", async () => {
    const { code, stdout, stderr } = await world.run(`lease renew -increment=100h ${first.lease_id}`);
    expect({ code, duration: rowsOf(stdout).lease_duration?.replace(/23h59m.*/, "24h") }).toEqual({
      code: 0,
      duration: "24h",
    });
    expect(stderr).toStartWith("WARNING! The following warnings were returned from");
    expect(stderr.replace(/\s+/g, " ")).toContain("TTL value is capped accordingly");
  });

  test("a revocation drops the user and ends its open session", async () => {
    const session = await server.connect({ user: first.data.username, password: first.data.password });
    const sessionEnd = ended(session);
    expect(await world.ok(`lease revoke ${first.lease_id}`)).toBe(
      "All revocation operations queued successfully!\n",
    );
    await sessionEnd;
    expect(await usersOn(server)).not.toContain(first.data.username);
    expect(await logsIn(server, first.data)).toBe(false);
    expect(await world.run(`lease lookup ${first.lease_id}`)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: remoteError(
        `error looking up lease id ${first.lease_id}`,
        "PUT vsec://local/v1/sys/leases/lookup",
        400,
        "invalid lease",
      ),
    });
    // Again: there is nothing to do, and that is a success.
    expect(await world.ok(`lease revoke -sync ${first.lease_id}`)).toBe(
      `Success! Revoked lease: ${first.lease_id}\n`,
    );
  });

  test.each([
    ["-prefix database/creds/app", "All revocation operations queued successfully!"],
    ["-prefix=database/creds/app", "All revocation operations queued successfully!"],
    ["-prefix -sync database/creds/app", "Success! Revoked any leases with prefix: database/creds/app"],
    [
      "-force -prefix database/creds/app",
      "Success! Force revoked any leases with prefix: database/creds/app",
    ],
  ])("lease revoke %s ends every lease below it", async (args, said) => {
    await Promise.all([readCreds(world), readCreds(world)]);
    expect(await world.ok(`lease revoke ${args}`)).toBe(`${said}\n`);
    expect(await usersOn(server)).toEqual([]);
    expect(await world.run("list sys/leases/lookup/database/creds/app")).toMatchObject({
      code: 2,
      stdout: "",
    });
  });

  test("leases end by the API's own paths too", async () => {
    const [one, two] = await Promise.all([readCreds(world), readCreds(world)]);
    await world.ok(`write sys/leases/revoke lease_id=${one.lease_id}`);
    await world.ok(`write -force sys/leases/revoke/${two.lease_id}`);
    expect(await usersOn(server)).toEqual([]);
  });

  test("after rotate-root the old password is refused, and credentials go on being issued", async () => {
    const admin = { username: "vsec_admin", password: "known" };
    await server.query(`ALTER ROLE vsec_admin PASSWORD 'known'`);
    await world.ok("write database/config/pg password=-", { stdin: admin.password });
    expect(await logsIn(server, admin)).toBe(true);
    expect(await world.ok("write -force database/rotate-root/pg")).toBe(
      "Success! Data written to: database/rotate-root/pg\n",
    );
    expect(await logsIn(server, admin)).toBe(false);
    const { data } = await readCreds(world);
    expect(await logsIn(server, data)).toBe(true);
  });

  test("an engine that is moved or disabled revokes what it had issued", async () => {
    const issued = await readCreds(world);
    const { stdout } = await world.run("secrets move database db");
    expect(stdout).toMatch(
      /^Started moving secrets engine database\/ to db\/, with migration ID (\S+)\nSuccess! Finished moving secrets engine database\/ to db\/, with migration ID \1\n$/,
    );
    expect(await usersOn(server)).not.toContain(issued.data.username);
    expect(await world.run("read database/creds/app")).toMatchObject({
      code: 2,
      stderr: "No value found at database/creds/app\n",
    });
    await readCreds(world, "db/creds/app");
    expect(await usersOn(server)).toHaveLength(1);
    expect(await world.ok("secrets disable db")).toBe(
      "Success! Disabled the secrets engine (if it existed) at: db/\n",
    );
    expect(await usersOn(server)).toEqual([]);
    expect(Object.keys(await world.json("secrets list"))).toEqual(["cubbyhole/", "identity/", "sys/"]);
  });
}
