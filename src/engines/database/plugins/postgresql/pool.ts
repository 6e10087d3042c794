import { DatabaseError } from "../../plugin.ts";
import { Connection } from "./connection.ts";
import { ConnectionLost } from "./failures.ts";
import type { PostgresSettings } from "./settings.ts";

interface Waiter {
  readonly go: () => void;
}

/** How long {@link Pool.warm} waits for the server to be reached. */
const GREETING_MS_MAX = 4;

/** The connections of one plugin: opened when needed, at most `connectionsMax`, kept for the next use, replaced when broken. */
export class Pool {
  readonly #settings: PostgresSettings;
  readonly #idle: Connection[] = [];
  readonly #busy = new Set<Connection>();
  readonly #waiting: Waiter[] = [];
  /** A connection that is being opened for whoever comes next. */
  #warming: Promise<Connection> | undefined;
  #openCount = 0;
  #isClosed = false;

  constructor(settings: PostgresSettings) {
    this.#settings = settings;
  }

  /**
   * Lends a connection. When one that had lain idle turns out to be lost, `work` is done once more on a new one; so `work`
   * throws `ConnectionLost` only while doing it again is harmless.
   * @param timeoutMs - For everything; the connection is broken off then.
   * @throws what `work` throws; DatabaseError when there is no connection to be had.
   */
  async use<T>(timeoutMs: number, work: (connection: Connection) => Promise<T>): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    const first = await this.#take(deadline);
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

  async #lend<T>(
    connection: Connection,
    deadline: number,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const leftMs = Math.max(deadline - performance.now(), 1);
    const timer = setTimeout(() => connection.destroy("the database took too long"), leftMs);
    try {
      return await work(connection);
    } finally {
      clearTimeout(timer);
      this.#giveBack(connection);
    }
  }

  async #take(deadline: number): Promise<Connection> {
    for (;;) {
      if (this.#isClosed) throw new DatabaseError("unreachable", "the connection was closed");
      const warming = this.#warming;
      this.#warming = undefined;
      if (warming !== undefined) return warming;
      const kept = this.#takeIdle();
      if (kept !== undefined) return kept;
      if (this.#openCount < this.#settings.connectionsMax) return this.#open(deadline);
      await this.#wait(deadline);
    }
  }

  #takeIdle(): Connection | undefined {
    for (let kept = this.#idle.pop(); kept !== undefined; kept = this.#idle.pop()) {
      const { lifetimeMs } = this.#settings;
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

  async #open(deadline: number, greeted?: () => void): Promise<Connection> {
    this.#openCount += 1;
    try {
      const leftMs = Math.max(deadline - performance.now(), 1);
      const connection = await Connection.open(this.#settings, leftMs, { greeted });
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
        const count = this.#settings.connectionsMax;
        reject(new DatabaseError("unreachable", `all ${count} connections to the database are in use`));
      };
      const timer = setTimeout(giveUp, Math.max(deadline - performance.now(), 1));
      this.#waiting.push(waiter);
    });
  }

  #giveBack(connection: Connection): void {
    this.#busy.delete(connection);
    const isKept = connection.isUsable && !this.#isClosed && this.#idle.length < this.#settings.idleMax;
    if (isKept) {
      connection.setIdle(true);
      this.#idle.push(connection);
    } else {
      this.#discard(connection);
    }
    this.#wakeNext();
  }

  #discard(connection: Connection): void {
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
