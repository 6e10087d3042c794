/**
 * What every database plugin has to do, driven through the engine and the core: one suite for all of them.
 *
 * A plugin's own file describes its server once and runs the suite on it:
 *
 * ```ts
 * databaseContract({
 *   title: "MariaDB",
 *   missing: mariadbMissing(),            // undefined: it can run here
 *   start: async () => new MariadbContract(await startMariadb()),
 * });
 * ```
 *
 * Where databases differ, {@link PluginServer} says so: `expiryOf` is there where the database keeps an expiry of its own,
 * `failingCreation` where a creation can fail in the middle, `canEndSessions` where an open session can be ended.
 */

import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { dataOf, errorOf } from "../../core/world.ts";
import { until } from "../../servers/process.ts";
import { probesOnRecord, warningsOf } from "./probes.ts";
import { DatabaseWorld, type Login } from "./world.ts";

/** An open session of a database user. */
export interface Session {
  /** Does some work over it, now. False: the server has ended it. */
  isAlive(): Promise<boolean>;
  close(): Promise<void>;
}

/** A real server, as the suite sees it. Users are named by the engine; the suite never needs the database's language. */
export interface PluginServer {
  readonly pluginName: string;
  /** What the name of a user looks like that was made for the display name `root` and the role `contract`. */
  readonly usernamePattern: RegExp;
  /** The statements of a role whose users can log in and do what {@link Session.isAlive} does. */
  readonly role: JsonObject;
  /** Statements of which an early one makes the user and a later one is refused. Undefined: it is one step there. */
  readonly failingCreation: JsonObject | undefined;
  /** Whether an open session of a revoked user can be ended, or at least can do nothing more. */
  readonly canEndSessions: boolean;
  /** Makes a new administrator, with as few privileges as the documentation asks for. @returns Connection details with its `username` and `password`. */
  newAdmin(): Promise<JsonObject>;
  /** Makes an administrator that logs in and may do nothing. Absent: privileges are not kept there. @returns As `newAdmin`. */
  newPowerlessAdmin?(): Promise<JsonObject>;
  /** Logs in. @throws whatever the driver throws when the login is refused. */
  logIn(login: Login): Promise<Session>;
  /** The names of all users that the server has, the administrators too. */
  users(): Promise<readonly string[]>;
  /** Removes a user behind the engine's back. */
  dropUser(username: string): Promise<void>;
  /** When the database itself ends the user, in milliseconds since the epoch. Undefined: it knows no expiry. */
  expiryOf?(username: string): Promise<number>;
  /** Ends the server at once, as a crash would, and keeps its files. */
  halt(): Promise<void>;
  /** Starts it again at the same address. */
  resume(): Promise<void>;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

export interface ContractCase {
  readonly title: string;
  /** Why the server cannot run here; the suite is skipped then, by name. */
  readonly missing: string | undefined;
  /** How long one test may take: a minute, unless the server takes long to start. */
  readonly timeoutMs?: number;
  start(): Promise<PluginServer>;
}

const HOUR_SECONDS = 3600;

/** Runs the suite on one server. */
export function databaseContract({ title, missing, timeoutMs = 60_000, start }: ContractCase): void {
  setDefaultTimeout(timeoutMs);
  const name = `The database contract: ${title}${missing === undefined ? "" : ` (skipped: ${missing})`}`;
  describe.skipIf(missing !== undefined)(name, () => {
    let server: PluginServer;
    let world: DatabaseWorld;
    let before: readonly string[];
    beforeAll(async () => {
      server = await start();
      world = await DatabaseWorld.on(server, "shared");
    });
    beforeEach(async () => {
      before = await server.users();
    });
    // What a failed test has left must not fail the next one.
    afterEach(() => world.must("sys/leases/revoke-prefix/database"));
    afterAll(async () => {
      await world?.close();
      await server?.stop();
    });
    const tools: Tools = {
      server: () => server,
      world: () => world,
      made: async () => (await server.users()).filter((user) => !before.includes(user)),
    };
    describeLife(tools);
    describeFailures(tools);
    describeRotation(tools);
    describeStaticRole(tools);
    describeReconciliation(tools);
    describePreflight(tools);
    describeOutage(tools);
  });
}

interface Tools {
  server(): PluginServer;
  world(): DatabaseWorld;
  /** Users that were made since the test began. */
  made(): Promise<readonly string[]>;
}

async function isRefused(server: PluginServer, login: Login): Promise<boolean> {
  try {
    const session = await server.logIn(login);
    await session.close();
    return false;
  } catch {
    // Which error it is is the driver's business; `describeLife` has shown that the same login works before.
    return true;
  }
}

function describeLife({ server, world, made }: Tools): void {
  test("an issued user has the plugin's name for it, and can log in until it is revoked", async () => {
    const { lease, login } = await world().issue();
    expect(login.username).toMatch(server().usernamePattern);
    expect(await made()).toContain(login.username);
    const session = await server().logIn(login);
    expect(await session.isAlive()).toBe(true);
    await session.close();
    await world().revoke(lease);
    expect(await made()).toEqual([]);
    expect(await isRefused(server(), login)).toBe(true);
  });

  test("renewal keeps the user, and moves the database's own expiry where it has one", async () => {
    const { lease, login } = await world().issue();
    world().core.advance(1800);
    const renewed = await world().core.put("sys/leases/renew", { lease_id: lease, increment: HOUR_SECONDS });
    expect(renewed).toMatchObject({ status: 200, body: { lease_duration: HOUR_SECONDS } });
    const end = world().core.now + HOUR_SECONDS * 1000;
    const expiry = await server().expiryOf?.(login.username);
    expect(Math.abs((expiry ?? end) - end)).toBeLessThan(10_000);
    await (await server().logIn(login)).close();
    await world().revoke(lease);
  });

  test("a user can be revoked twice, and one that somebody dropped by hand once", async () => {
    const first = await world().issue();
    await world().revoke(first.lease);
    await world().revoke(first.lease);
    const second = await world().issue();
    await server().dropUser(second.login.username);
    await world().revoke(second.lease);
    expect(await made()).toEqual([]);
    expect(await world().leaseCount()).toBe(0);
  });

  test("a session that is open ends with the lease", async () => {
    if (!server().canEndSessions) return;
    const { lease, login } = await world().issue();
    const session = await server().logIn(login);
    expect(await session.isAlive()).toBe(true);
    await world().revoke(lease);
    await until("the session to be of no use", async () => !(await session.isAlive()));
    await session.close();
  });

  test("a lease that has run out is ended by the daemon, and all others by their prefix", async () => {
    const { login } = await world().issue();
    world().core.advance(HOUR_SECONDS + 60);
    const later = await Promise.all([1, 2, 3].map(() => world().issue()));
    expect(await world().core.daemon()).toEqual({ done: 1, failed: 0 });
    expect([...(await made())].sort()).toEqual(later.map((issued) => issued.login.username).sort());
    expect(await isRefused(server(), login)).toBe(true);
    const answer = await world().core.put("sys/leases/revoke-prefix/database/creds/contract");
    expect(answer.status).toBe(204);
    expect(await made()).toEqual([]);
  });

  test("a user's name can be chosen by a template", async () => {
    const template = '{{printf "t-%s-%s" .RoleName (random 6)}}';
    await world().must("database/config/shared", { username_template: template });
    const { lease, login } = await world().issue();
    expect(login.username).toMatch(/^t-contract-[A-Za-z0-9]{6}$/i);
    await (await server().logIn(login)).close();
    await world().revoke(lease);
    expect(await made()).toEqual([]);
    await world().must("database/config/shared", { username_template: "" });
  });
}

function describeFailures({ server, world, made }: Tools): void {
  test("a creation that fails in the middle leaves neither user nor lease, and says no password", async () => {
    const statements = server().failingCreation;
    if (statements === undefined) return;
    await world().must("database/roles/failing", { ...server().role, ...statements, db_name: "shared" });
    const answer = await world().core.get("database/creds/failing");
    expect(answer.status).toBe(500);
    expect(errorOf(answer)).toContain('role "failing", connection "shared"');
    await world().settle();
    expect(await made()).toEqual([]);
    expect(await world().leaseCount()).toBe(0);
  });

  test("an administrator that the server refuses is refused when it is configured, and its password is not repeated", async () => {
    const details = { ...(await server().newAdmin()), password: "not-the-password" };
    const answer = await world().core.put("database/config/wrong", {
      plugin_name: server().pluginName,
      ...details,
    });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toStartWith("error creating database object: ");
    expect(errorOf(answer)).not.toContain("not-the-password");
    expect((await world().core.get("database/config/wrong")).status).toBe(404);
  });

  test("what is shown of a connection holds no password", async () => {
    const answer = await world().core.get("database/config/shared");
    expect(dataOf(answer)).toMatchObject({ plugin_name: server().pluginName });
    expect(JSON.stringify(answer)).not.toContain(world().adminPassword);
  });
}

function describeRotation({ server, world, made }: Tools): void {
  test("after a rotation of the root password only the engine can log in, and it still issues", async () => {
    const own = await DatabaseWorld.on(server(), "rotated");
    const admin: Login = { username: own.adminName, password: own.adminPassword };
    await own.must("database/rotate-root/rotated");
    expect(await isRefused(server(), admin)).toBe(true);
    const { lease, login } = await own.issue();
    await (await server().logIn(login)).close();
    await own.must("database/rotate-root/rotated");
    await own.revoke(lease);
    await own.close();
    expect(await made()).not.toContain(login.username);
    expect(await world().leaseCount()).toBe(0);
  });
}

function describeStaticRole({ server, world }: Tools): void {
  test("a static role replaces an existing user's password, at once, by hand and when it is due", async () => {
    const { lease, login } = await world().issue();
    const { username } = login;
    const passwords = [login.password];
    const expectOnly = async (): Promise<void> => {
      const { password } = dataOf(await world().core.get("database/static-creds/still"));
      await (await server().logIn({ username, password: String(password) })).close();
      for (const old of passwords) expect(await isRefused(server(), { username, password: old })).toBe(true);
      passwords.push(String(password));
    };
    const terms = { db_name: "shared", username, rotation_period: "30m" };
    const wrong = await world().core.put("database/static-roles/still", { ...terms, password: "another" });
    expect(errorOf(wrong)).toBe(`the given password does not log in as "${username}"`);
    await world().must("database/static-roles/still", { ...terms, password: login.password });
    await expectOnly();
    await world().must("database/rotate-role/still");
    await expectOnly();
    world().core.advance(HOUR_SECONDS / 2 + 60);
    await world().core.daemon();
    await expectOnly();
    await world().must("sys/leases/revoke", { lease_id: lease, sync: true });
    const gone = await world().core.put("database/rotate-role/still");
    expect(gone.status).toBe(500);
    world().core.advance(300);
    expect((await world().core.send("DELETE", "database/static-roles/still")).status).toBe(204);
  });
}

function describeReconciliation({ server, world, made }: Tools): void {
  test("a user of another store is found, and removed when that is asked for", async () => {
    const other = await DatabaseWorld.on(server(), "other", world().admin);
    const { login } = await other.issue();
    const known = await world().issue();
    const found = await world().core.get("database/reconcile/shared");
    expect(dataOf(found)).toEqual({ known: 1, unknown: [login.username] });
    const removed = await world().must("database/reconcile/shared", { force: true });
    expect(removed).toEqual({ failed: {}, removed: [login.username] });
    expect(await made()).not.toContain(login.username);
    await (await server().logIn(known.login)).close();
    await other.must("sys/leases/revoke-prefix/database");
    await other.close();
    await world().revoke(known.lease);
  });
}

function describePreflight({ server, world, made }: Tools): void {
  const configure = async (admin: JsonObject) =>
    world().core.put("database/config/tried", { plugin_name: server().pluginName, ...admin });

  test("an administrator with what the documentation asks for has a preflight without a word, and it leaves nobody", async () => {
    const admin = await server().newAdmin();
    expect(await configure(admin)).toEqual({ status: 204, body: null });
    for (const [connection, body] of [
      ["tried", {}],
      ["shared", { role: "contract" }],
    ] as const) {
      const tried = await world().core.put(`database/preflight/${connection}`, body);
      expect(dataOf(tried)).toEqual({ problems: [], ready: true });
    }
    expect(await made()).toEqual([String(admin.username)]);
    expect(await probesOnRecord(world().core)).toEqual([]);
  });

  test("one that may do nothing is configured with a warning that says so, and nobody is made", async () => {
    const admin = await server().newPowerlessAdmin?.();
    if (admin === undefined) return;
    const answer = await configure(admin);
    expect(answer.status).toBe(200);
    const [warning = ""] = warningsOf(answer);
    expect(warning).toStartWith(`The administrator "${admin.username}" cannot `);
    expect(warning).toContain("; grant it with: ");
    expect(await made()).toEqual([String(admin.username)]);
    expect(await probesOnRecord(world().core)).toEqual([]);
  });
}

function describeOutage({ server, world, made }: Tools): void {
  test("while the server is away nothing is issued and no lease is lost; when it is back both go on", async () => {
    const { lease } = await world().issue();
    await server().halt();
    expect((await world().core.get("database/creds/contract")).status).toBe(500);
    const refused = await world().core.put("sys/leases/revoke", { lease_id: lease, sync: true });
    expect(refused.status).toBe(400);
    expect(await world().leaseCount()).toBeGreaterThan(0);
    await server().resume();
    await world().settle();
    expect(await made()).toEqual([]);
    expect(await world().leaseCount()).toBe(0);
    const again = await world().issue();
    await (await server().logIn(again.login)).close();
  });
}
