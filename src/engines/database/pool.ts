import { ConnectionLost } from "./failures.ts";
import { DatabaseError, unasked } from "./plugin.ts";
import type { PoolLimits } from "./pool-limits.ts";

/** One session of an administrator, as the pool sees it. */
export interface PooledConnection {
  /** By `performance.now()`. */
  readonly openedAtMs: number;
  /** It was used before, so that its loss may be old news. Set by the pool. */
  isReused: boolean;
  /** False when it broke, or was left in a state that nobody else should find. */
  readonly isUsable: boolean;
  /** Lets the process end while the connection lies idle, or not. */
  setIdle(isIdle: boolean): void;
  /** Breaks the connection off; what is under way fails as lost. */
  destroy(reason?: string): void;
  /** Says goodbye and closes. Never throws. */
  close(): Promise<void>;
}

/**
 * Opens a connection within `timeoutMs`.
 * @param greeted - To be called when the server was greeted and it is its turn.
 */
export type Opener<C extends PooledConnection> = (timeoutMs: number, greeted?: () => void) => Promise<C>;

interface Waiter {
  readonly go: () => void;
}

/** How long {@link Pool.warm} waits for the server to be reached. */
const GREETING_MS_MAX = 4;

/** The connections of one plugin: opened when needed, at most `connectionsMax`, kept for the next use, replaced when broken. */
export class Pool<C extends PooledConnection> {
  readonly #limits: PoolLimits;
  readonly #opener: Opener<C>;
  readonly #idle: C[] = [];
  readonly #busy = new Set<C>();
  readonly #waiting: Waiter[] = [];
  /** A connection that is being opened for whoever comes next. */
  #warming: Promise<C> | undefined;
  #openCount = 0;
  #isClosed = false;

  constructor(limits: PoolLimits, opener: Opener<C>) {
    this.#limits = limits;
    this.#opener = opener;
  }

  /**
   * Lends a connection. When one that had lain idle turns out to be lost, `work` is done once more on a new one; so `work`
   * throws `ConnectionLost` only while doing it again is harmless.
   * @param timeoutMs - For everything; the connection is broken off then.
   * @throws what `work` throws; DatabaseError, with `isUnasked`, when there is no connection to be had.
   */
  async use<T>(timeoutMs: number, work: (connection: C) => Promise<T>): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    const first = await this.#take(deadline).catch((error: unknown) => {
      throw unasked(error);
    });
    try {
      return await this.#lend(first, deadline, work);
    } catch (error) {
      if (!(error instanceof ConnectionLost) || !first.isReused) throw error;
      this.#dropIdle();
    }
    return this.#lend(await this.#take(deadline), deadline, work);
  }

  /**
   * Begins to open the first connection, for the next use, which also meets its failure. Resolves when the server has been
   * greeted, so that it works while the caller does something that blocks; one that is far away is not waited for.
   */
  async warm(timeoutMs: number): Promise<void> {
    if (this.#isClosed || this.#openCount > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GREETING_MS_MAX);
      const greeted = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#warming = this.#open(performance.now() + timeoutMs, greeted);
      this.#warming.catch(() => greeted());
    });
  }

  async #lend<T>(connection: C, deadline: number, work: (connection: C) => Promise<T>): Promise<T> {
    const leftMs = Math.max(deadline - performance.now(), 1);
    const timer = setTimeout(() => connection.destroy("the database took too long"), leftMs);
    try {
      return await work(connection);
    } finally {
      clearTimeout(timer);
      this.#giveBack(connection);
    }
  }

  async #take(deadline: number): Promise<C> {
    for (;;) {
      if (this.#isClosed) throw new DatabaseError("unreachable", "the connection was closed");
      const warming = this.#warming;
      this.#warming = undefined;
      if (warming !== undefined) return warming;
      const kept = this.#takeIdle();
      if (kept !== undefined) return kept;
      if (this.#openCount < this.#limits.connectionsMax) return this.#open(deadline);
      await this.#wait(deadline);
    }
  }

  #takeIdle(): C | undefined {
    for (let kept = this.#idle.pop(); kept !== undefined; kept = this.#idle.pop()) {
      const { lifetimeMs } = this.#limits;
      const isTooOld = lifetimeMs > 0 && performance.now() - kept.openedAtMs > lifetimeMs;
      if (kept.isUsable && !isTooOld) {
        kept.isReused = true;
        kept.setIdle(false);
        this.#busy.add(kept);
        return kept;
      }
      this.#discard(kept);
    }
    return undefined;
  }

  async #open(deadline: number, greeted?: () => void): Promise<C> {
    this.#openCount += 1;
    try {
      const leftMs = Math.max(deadline - performance.now(), 1);
      const connection = await this.#opener(leftMs, greeted);
      this.#busy.add(connection);
      return connection;
    } catch (error) {
      this.#openCount -= 1;
      this.#wakeNext();
      throw error;
    }
  }

  #wait(deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        go: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        const count = this.#limits.connectionsMax;
        reject(new DatabaseError("unreachable", `all ${count} connections to the database are in use`));
      };
      const timer = setTimeout(giveUp, Math.max(deadline - performance.now(), 1));
      this.#waiting.push(waiter);
    });
  }

  #giveBack(connection: C): void {
    this.#busy.delete(connection);
    const isKept = connection.isUsable && !this.#isClosed && this.#idle.length < this.#limits.idleMax;
    if (isKept) {
      connection.setIdle(true);
      this.#idle.push(connection);
    } else {
      this.#discard(connection);
    }
    this.#wakeNext();
  }

  #discard(connection: C): void {
    this.#openCount -= 1;
    if (connection.isUsable) void connection.close();
    else connection.destroy();
  }

  #dropIdle(): void {
    for (const connection of this.#idle.splice(0)) this.#discard(connection);
  }

  #wakeNext(): void {
    this.#waiting.shift()?.go();
  }

  /** Closes what is idle, breaks off what is not, and lends nothing any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    // One that nobody came for is not in anybody's hands: it is closed once it is there.
    void this.#warming?.then((connection) => this.#giveBack(connection)).catch(() => undefined);
    for (const connection of this.#busy) connection.destroy();
    const idle = this.#idle.splice(0);
    this.#openCount -= idle.length;
    for (const waiter of this.#waiting.splice(0)) waiter.go();
    await Promise.all(idle.map((connection) => connection.close()));
  }
}
