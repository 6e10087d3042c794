import { decodeLease, LEASE_PREFIX, type LeaseRecord } from "../../src/core/leases/record.ts";
import type { StaticRole } from "../../src/engines/database/static-role.ts";
import type { Owner } from "./scheduler.ts";
import type { DeletionWatch } from "./sim-database.ts";
import { LIVE_MAX, type World } from "./world.ts";

/** The promises. A violation names one of them. */
export const PROMISES = {
  orphan: "no live database user without a lease record that names it, or a preflight's",
  noDueTime: "every lease has a due time",
  lost: "an issued credential lives until its lease ends, as its answer and confirmed renewals said",
  cutOff: "the database's own expiry of a user is never before its lease's",
  notRevoked: "what a revocation was confirmed for is gone",
  passwordLost: "the store always knows the administrator's password in force",
  staticLost: "the store always knows the password that it has given a static role's user",
  overCapped: "no more leases of a role live at once than it allows",
  early: "nothing is revoked before its time unless somebody asked",
  twice: "two daemons do not do the same work at once",
  leftOver: "once all is well again, what has ended is gone, with everything that was kept of it",
  stuck: "once all is well again, the configured password logs in",
  unanswered: "every request is answered",
} as const;
export type Promised = keyof typeof PROMISES;

export class Violation extends Error {
  readonly promise: Promised;

  constructor(promise: Promised, detail: string) {
    super(`${PROMISES[promise]}: ${detail}`);
    this.name = "Violation";
    this.promise = promise;
  }
}

/** What somebody was told about a credential. */
export interface Credential {
  readonly leaseId: string;
  readonly username: string;
  /** The earliest end that what was answered and asked for allows. Milliseconds of the wall clock. */
  endsAtMin: number;
  /** Renewals under way, or of unknown outcome. */
  renewals: number;
  isRevocationAsked: boolean;
  isRevocationConfirmed: boolean;
}

/** What a stored configuration or rotation has of a password. */
interface StoredConnection {
  readonly details?: { readonly username: string; readonly password: string };
  readonly newPassword?: string;
}

/** A daemon that repeats work within this has not waited for the other's claim to lapse. */
const CLAIM_MS_SURE = 30_000;
const CLAIM_MS = 120_000;

/** Watches the world: knows what was answered, and looks whether it holds. */
export class Watch implements DeletionWatch {
  readonly credentials = new Map<string, Credential>();
  readonly #byUser = new Map<string, Credential>();
  readonly #deleting = new Map<string, { owner: Owner; since: number }>();
  readonly #begun = new Map<string, number>();
  /** Users of static roles that two mounts have managed at once. */
  readonly #contested = new Set<string>();
  #hasJumped = false;
  #world: World | undefined;
  #seen = "";
  /** The first broken promise, found by a watcher that has nobody to throw to. */
  broken: Violation | undefined;
  looks = 0;

  attach(world: World): void {
    this.#world = world;
  }

  #requireWorld(): World {
    if (this.#world === undefined) throw new TypeError("the watch has no world yet");
    return this.#world;
  }

  issued(credential: Credential): void {
    this.credentials.set(credential.leaseId, credential);
    this.#byUser.set(credential.username, credential);
  }

  begin(owner: Owner, username: string): void {
    const { scheduler } = this.#requireWorld();
    const credential = this.#byUser.get(username);
    if (credential !== undefined && !credential.isRevocationAsked) {
      const early = credential.endsAtMin - Math.max(scheduler.wall, scheduler.wallMax);
      if (early > 0) this.broken ??= new Violation("early", `${username}, by ${early} ms`);
    }
    if (!owner.name.startsWith("daemon")) return;
    const other = this.#deleting.get(username);
    const isOthers = other?.owner.isAlive && other.owner !== owner;
    // A claim lapses by the wall clock: where that has jumped, to do it twice is harmless and cannot be helped.
    if (isOthers && !this.#hasJumped && scheduler.elapsedMs - other.since < CLAIM_MS_SURE) {
      this.broken ??= new Violation("twice", `${username}, by ${other.owner.name} and ${owner.name}`);
    }
    // Work that is tried again after settling a rotation goes on under the same claim.
    const key = `${owner.name} ${username}`;
    const begun = this.#begun.get(key) ?? Number.NEGATIVE_INFINITY;
    const since = scheduler.elapsedMs - begun < CLAIM_MS ? begun : scheduler.elapsedMs;
    this.#begun.set(key, since);
    this.#deleting.set(username, { owner, since });
  }

  end(owner: Owner, username: string): void {
    if (this.#deleting.get(username)?.owner === owner) this.#deleting.delete(username);
  }

  /** A renewal under way may have read the clock after it was put back. */
  clockJumped(ms: number): void {
    this.#hasJumped = true;
    for (const credential of this.credentials.values()) {
      if (credential.renewals > 0) credential.endsAtMin += Math.min(0, ms);
    }
  }

  /** Whether somebody may be making a user. */
  async isCreating(): Promise<boolean> {
    const { entries } = await this.#requireWorld().observer.scan(LEASE_PREFIX, { limit: 1000 });
    if (entries.some((entry) => decodeLease(entry).record.createUntil !== null)) return true;
    return (await this.#probes()).length > 0;
  }

  /** The users of preflights that are on record. */
  async #probes(): Promise<readonly string[]> {
    const { entries } = await this.#requireWorld().observer.scan("mount/", { limit: 1000 });
    const probes = entries.filter(({ key }) => key.includes("/probe-users/"));
    return probes.map(({ key }) => key.split("/").at(-1) ?? "");
  }

  /** Looks at everything that can be wrong at any time, if anything has changed since it last did. @throws Violation */
  async look(): Promise<void> {
    if (this.broken !== undefined) throw this.broken;
    const { disk, database } = this.#requireWorld();
    const state = `${disk.changes} ${database.changes}`;
    if (state === this.#seen) return;
    this.#seen = state;
    this.looks += 1;
    await this.#lookAtUsers();
    await this.#lookAtPassword();
    await this.#lookAtStaticRole();
  }

  async #lookAtUsers(): Promise<void> {
    const { observer, database } = this.#requireWorld();
    const records = new Map<string, LeaseRecord>();
    for (const entry of (await observer.scan(LEASE_PREFIX, { limit: 1000 })).entries) {
      const { record } = decodeLease(entry);
      if (entry.dueAt === null) throw new Violation("noDueTime", record.id);
      records.set(record.principal ?? "", record);
    }
    const capped = [...records.values()].filter(({ id }) => id.startsWith("database/creds/capped/"));
    if (capped.length > LIVE_MAX) throw new Violation("overCapped", `${capped.length} live`);
    const probes = await this.#probes();
    for (const [username, user] of database.users) {
      if (probes.includes(username)) continue;
      const record = records.get(username);
      if (record === undefined) throw new Violation("orphan", username);
      const isRenewing = (this.#byUser.get(username)?.renewals ?? 0) > 0;
      if (record.state === "active" && !isRenewing && user.expiresAt < record.expiresAt) {
        throw new Violation("cutOff", username);
      }
    }
    this.#lookAtCredentials();
  }

  #lookAtCredentials(): void {
    const { database, scheduler } = this.#requireWorld();
    const now = Math.max(scheduler.wall, scheduler.wallMax);
    for (const credential of this.credentials.values()) {
      const lives = database.users.has(credential.username);
      if (credential.isRevocationConfirmed && lives) throw new Violation("notRevoked", credential.leaseId);
      if (!credential.isRevocationAsked && now < credential.endsAtMin && !lives) {
        throw new Violation("lost", credential.leaseId);
      }
    }
  }

  async #lookAtPassword(): Promise<void> {
    const { database } = this.#requireWorld();
    const mount = await this.mount();
    if (mount === undefined || mount.retired) return;
    const { admin, passwords } = await this.connection(mount.uuid);
    if (admin === null || passwords.includes(database.passwordOf(admin))) return;
    throw new Violation("passwordLost", `${admin} is not let in with ${passwords.join(" or ")}`);
  }

  async #lookAtStaticRole(): Promise<void> {
    const { database } = this.#requireWorld();
    const mount = await this.mount();
    if (mount === undefined || mount.retired) return;
    const role = await this.staticRole(mount.uuid);
    if (role === null) {
      // Who forgets a role forgets its password.
      for (const username of database.changedByPlugin) {
        if (username.startsWith("svc")) database.changedByPlugin.delete(username);
      }
      return;
    }
    const { username, password, next } = role;
    // Two mounts that manage one user, of which one is going, lock each other out, and nobody can help it: what the one had begun
    // may come to its end when it is gone.
    if ((await this.#managersOf(username)) > 1) this.#contested.add(username);
    if (this.#contested.has(username) || !database.changedByPlugin.has(username)) return;
    if ([password, next?.password].includes(database.passwordOf(username))) return;
    throw new Violation("staticLost", `${username} is not let in with ${password} or ${next?.password}`);
  }

  /** How many mounts have a static role for a user. */
  async #managersOf(username: string): Promise<number> {
    const { entries } = await this.#requireWorld().observer.scan("mount/", { limit: 1000 });
    const uuids = entries.flatMap(({ key }) => /^mount\/([^/]+)\/static-roles\/svc$/.exec(key)?.[1] ?? []);
    const roles = await Promise.all(uuids.map((uuid) => this.staticRole(uuid)));
    return roles.filter((role) => role?.username === username).length;
  }

  /** Null: there is none. */
  async staticRole(uuid: string): Promise<StaticRole | null> {
    return (await this.json(`mount/${uuid}/static-roles/svc`)) as StaticRole | null;
  }

  async mount(): Promise<{ uuid: string; retired: boolean } | undefined> {
    const table = (await this.json("core/mounts")) as { mounts: { uuid: string; retired: boolean }[] } | null;
    return table?.mounts.find((mount) => !mount.retired) ?? table?.mounts[0];
  }

  /** The passwords that the store could try: the configuration's first. No administrator: never configured. */
  async connection(uuid: string): Promise<{ admin: string | null; passwords: readonly string[] }> {
    const [config, rotation, retired] = await Promise.all(
      ["config/db", "root-rotation/db", "retired-config/db"].map((key) => this.json(`mount/${uuid}/${key}`)),
    );
    const values = [config, rotation, retired].map((value) => (value ?? {}) as StoredConnection);
    const passwords = values.map(({ details, newPassword }) => details?.password ?? newPassword);
    return {
      admin: values.find(({ details }) => details !== undefined)?.details?.username ?? null,
      passwords: passwords.filter((password) => password !== undefined),
    };
  }

  async json(key: string): Promise<unknown> {
    const entry = await this.#requireWorld().observer.get(key);
    return entry === null ? null : JSON.parse(Buffer.from(entry.value).toString("utf8"));
  }
}
