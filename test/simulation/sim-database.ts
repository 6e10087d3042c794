import { randomString } from "../../src/base/random.ts";
import {
  DatabaseError,
  type DatabasePlugin,
  type DatabasePluginType,
  type DoomedUser,
  type LoginOutcome,
  type NewUser,
  unasked,
} from "../../src/engines/database/plugin.ts";
import type { RevokeOutcome } from "../../src/framework/secret.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import type { Owner, Scheduler } from "./scheduler.ts";

/** What the real plugin gives a change in all, a login, and the wait for a lock. */
const CHANGE_MS_MAX = 45_000;
const VERIFY_MS_MAX = 30_000;
const LOCK_MS_MAX = 50_000;

/** A user's row, which a change of its password locks. */
const USER_ROW = "row of ";

interface Transaction {
  readonly owner: Owner;
  readonly lock: string;
  readonly effect: () => void;
  /** The client has sent its COMMIT: the transaction may yet take effect, whatever becomes of the client. */
  isCommitSent: boolean;
  state: "open" | "committed" | "rolled back";
}

/** Told of every attempt to make users gone. */
export interface DeletionWatch {
  begin(owner: Owner, username: string): void;
  end(owner: Owner, username: string): void;
}

/** Ways to break the database's promises, so that the simulation can be seen to notice. */
export interface DatabaseDefects {
  /** Deleting does not wait for a creation under way. */
  readonly noFence?: boolean;
  /** Deleting says yes and does nothing. */
  readonly liesAboutDeletion?: boolean;
  /** A commit whose outcome is not known counts as a server that was asked for nothing. */
  readonly forgetsAsking?: boolean;
}

/** One simulated server: users, passwords of administrators and of static roles' users, transactions that hold locks, sessions. */
export class SimDatabase {
  readonly users = new Map<string, { readonly password: string; expiresAt: number }>();
  /** Passwords of those who were there before, by name. One that nobody has changed has the initial one. */
  readonly #passwords = new Map<string, string>();
  /** Whose password was last changed by a plugin, and not by somebody else since. */
  readonly changedByPlugin = new Set<string>();
  isDown = false;
  /** A restart ends all sessions. */
  generation = 0;
  changes = 0;
  readonly #locks = new Map<string, Transaction>();
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #faults: Faults;
  readonly #watch: DeletionWatch;
  readonly #defects: DatabaseDefects;

  constructor(deps: {
    scheduler: Scheduler;
    chance: Chance;
    faults: Faults;
    watch: DeletionWatch;
    defects: DatabaseDefects;
  }) {
    this.#scheduler = deps.scheduler;
    this.#chance = deps.chance;
    this.#faults = deps.faults;
    this.#watch = deps.watch;
    this.#defects = deps.defects;
  }

  /** The plugin as one process has it. */
  pluginFor(owner: Owner): DatabasePluginType {
    return {
      names: ["simulated"],
      usernameBytesMax: 63,
      defaultUsername: (_displayName, roleName, random) => `v-${roleName}-${randomString(random, 10)}`,
      open: (details) => this.#connect(owner, String(details.username), String(details.password)),
    };
  }

  passwordOf(username: string): string {
    return this.#passwords.get(username) ?? "initial";
  }

  /** Somebody changes a password without asking anybody. */
  changeOutside(username: string): void {
    this.changes += 1;
    this.#passwords.set(username, `outside-${this.changes}`);
    this.changedByPlugin.delete(username);
  }

  goDown(): void {
    this.isDown = true;
    this.generation += 1;
    for (const transaction of this.#locks.values()) this.#end(transaction, false);
  }

  /** The server notices in its own time that a client is gone. What was committed by then counts. */
  clientDied(owner: Owner): void {
    for (const transaction of this.#locks.values()) {
      if (transaction.owner === owner) void this.#abandon(transaction);
    }
  }

  async #abandon(transaction: Transaction): Promise<void> {
    if (transaction.isCommitSent) return;
    await this.#scheduler.sleep(null, this.#chance.int(30_000));
    this.#end(transaction, false);
  }

  /** Ends everything that is under way, one way or the other. */
  heal(): void {
    this.isDown = false;
    for (const transaction of this.#locks.values()) {
      this.#end(transaction, transaction.isCommitSent && this.#chance.roll(0.5));
    }
  }

  #end(transaction: Transaction, commits: boolean): void {
    if (transaction.state !== "open") return;
    transaction.state = commits ? "committed" : "rolled back";
    if (this.#locks.get(transaction.lock) === transaction) this.#locks.delete(transaction.lock);
    if (!commits) return;
    transaction.effect();
    this.changes += 1;
  }

  #isHit(rate: number): boolean {
    return !this.#scheduler.isCalm && this.#chance.roll(rate);
  }

  /** A message's way to the server or back. */
  async #travel(owner: Owner | null): Promise<void> {
    if (this.#isHit(this.#faults.slow)) await this.#scheduler.sleep(owner, this.#chance.int(70_000));
    else await this.#scheduler.point(owner);
  }

  #connect(owner: Owner, admin: string, password: string): DatabasePlugin {
    let session = -1;
    const reach = async (limitMs: number): Promise<() => void> => {
      const start = this.#scheduler.elapsedMs;
      const checkTime = (): void => {
        if (this.isDown) throw new DatabaseError("unreachable", "simulated: no answer");
        if (this.#scheduler.elapsedMs - start > limitMs && !this.#scheduler.isCalm) {
          throw new DatabaseError("unreachable", "simulated: timed out");
        }
      };
      await this.#travel(owner);
      try {
        checkTime();
        if (session !== this.generation && password !== this.passwordOf(admin)) {
          throw new DatabaseError("auth", "simulated: the login was refused");
        }
      } catch (error) {
        throw unasked(error);
      }
      session = this.generation;
      return checkTime;
    };
    return {
      verify: async () => {
        await reach(VERIFY_MS_MAX);
        if (this.#isHit(this.#faults.statement / 4)) {
          throw new DatabaseError("statement", "simulated: cancelled by the server");
        }
      },
      newUser: async (user: NewUser) => {
        const effect = (): void => {
          this.users.set(user.username, { password: user.password, expiresAt: user.expiresAt });
        };
        await this.#transact(owner, await reach(CHANGE_MS_MAX), user.username, effect);
      },
      setPassword: async (username, next) => {
        const effect = (): void => {
          this.#passwords.set(username, next);
          this.changedByPlugin.add(username);
        };
        await this.#transact(owner, await reach(CHANGE_MS_MAX), USER_ROW + username, effect);
      },
      verifyLogin: async (username, tried): Promise<LoginOutcome> => {
        await this.#travel(owner);
        if (this.isDown) throw new DatabaseError("unreachable", "simulated: no answer");
        const outcome = tried === this.passwordOf(username) ? "accepted" : "refused";
        await this.#travel(owner);
        return outcome;
      },
      setExpiration: async (username, expiresAt) => {
        await reach(CHANGE_MS_MAX);
        const user = this.users.get(username);
        if (user === undefined) throw new DatabaseError("statement", "simulated: no such role");
        user.expiresAt = expiresAt;
        this.changes += 1;
        await this.#travel(owner);
        if (this.#isHit(this.#faults.lostAnswer)) throw new DatabaseError("ambiguous", "simulated: lost");
      },
      deleteUsers: async (users) => {
        for (const { username } of users) this.#watch.begin(owner, username);
        try {
          await reach(CHANGE_MS_MAX);
          return await this.#delete(owner, users);
        } finally {
          for (const { username } of users) this.#watch.end(owner, username);
        }
      },
      trial: async () => ({
        plainUser: ["CREATE ROLE"],
        rehearse: async () => {
          await reach(VERIFY_MS_MAX);
          return [];
        },
      }),
      close: async () => undefined,
    };
  }

  /**
   * Two round trips, as the real plugin: the statements, which take the lock, then COMMIT. Without the COMMIT nothing
   * happens; with it the effect comes when the server gets to it, also after the client gave up or died.
   */
  async #transact(owner: Owner, checkTime: () => void, lock: string, effect: () => void): Promise<void> {
    const waited = await this.#lock(owner, lock, 20_000);
    if (waited === "timeout") throw new DatabaseError("statement", "simulated: lock timeout");
    // What PostgreSQL says when the row was changed while the statement waited for it.
    if (waited === "after a commit" && lock.startsWith(USER_ROW)) {
      throw new DatabaseError("statement", "simulated: tuple concurrently updated");
    }
    checkTime();
    if (this.#isHit(this.#faults.statement)) throw new DatabaseError("statement", "simulated: refused");
    const transaction: Transaction = { owner, lock, effect, isCommitSent: false, state: "open" };
    this.#locks.set(lock, transaction);
    await this.#travel(owner);
    try {
      checkTime();
      if (transaction.state !== "open") throw new DatabaseError("unreachable", "simulated: disconnected");
    } catch (error) {
      void this.#abandon(transaction);
      throw error;
    }
    transaction.isCommitSent = true;
    const isLost = this.#isHit(this.#faults.lostAnswer);
    const commits = !isLost || this.#chance.roll(0.7);
    if (isLost) {
      void this.#travel(null).then(() => this.#end(transaction, commits));
      await this.#travel(owner);
      const lost = new DatabaseError("ambiguous", "simulated: connection lost while committing");
      throw this.#defects.forgetsAsking ? unasked(lost) : lost;
    }
    await this.#travel(null);
    this.#end(transaction, true);
    await this.#travel(owner);
    if ((transaction.state as string) !== "committed") {
      throw new DatabaseError("ambiguous", "simulated: the server went away while committing");
    }
  }

  async #lock(owner: Owner, lock: string, limitMs: number): Promise<"free" | "after a commit" | "timeout"> {
    const start = this.#scheduler.elapsedMs;
    let last: Transaction | undefined;
    for (;;) {
      const holder = this.#locks.get(lock);
      if (holder === undefined) return last?.state === "committed" ? "after a commit" : "free";
      if (this.#scheduler.elapsedMs - start > limitMs) return "timeout";
      last = holder;
      await this.#scheduler.sleep(owner, 5000);
    }
  }

  async #delete(owner: Owner, users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]> {
    const outcomes: RevokeOutcome[] = [];
    for (const { username } of users) {
      const lock = this.#defects.noFence ? "free" : await this.#lock(owner, username, LOCK_MS_MAX);
      if (this.isDown) throw new DatabaseError("unreachable", "simulated: no answer");
      if (lock === "timeout") {
        outcomes.push(new DatabaseError("statement", "simulated: lock timeout"));
      } else if (this.#isHit(this.#faults.statement)) {
        outcomes.push(new DatabaseError("statement", "simulated: an object stands in the way"));
      } else {
        if (!this.#defects.liesAboutDeletion) this.users.delete(username);
        this.changes += 1;
        outcomes.push(null);
      }
    }
    await this.#travel(owner);
    if (this.#isHit(this.#faults.lostAnswer)) throw new DatabaseError("unreachable", "simulated: lost");
    return outcomes;
  }
}
