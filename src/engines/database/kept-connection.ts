import { messageOf } from "../../base/errors.ts";
import { DatabaseError, unasked } from "./plugin.ts";

/** How one kind of connection is opened and ended. A connection here carries several requests at once. */
export interface ConnectionDriver<C> {
  /** @throws DatabaseError `auth` or `unreachable`. */
  open(timeoutMs: number): Promise<C>;
  /** Whether one that has lain idle still answers. */
  isAlive(connection: C): Promise<boolean>;
  /** Ends it, whatever is under way; what is, fails. */
  close(connection: C): Promise<void>;
}

/** Within this time of the last answer a connection is taken to be alive. */
const FRESH_MS = 1_000;
const ALIVE_MS_MAX = 3_000;

/**
 * The connection of a plugin whose driver shares one among all requests: opened on first use, kept for the next, replaced
 * when it does not answer any more.
 */
export class KeptConnection<C> {
  readonly #driver: ConnectionDriver<C>;
  #kept: Promise<C> | undefined;
  #answeredAtMs = 0;
  #isClosed = false;

  constructor(driver: ConnectionDriver<C>) {
    this.#driver = driver;
  }

  /**
   * Works with the connection. A request that takes too long, or fails because the server cannot be reached, costs the
   * connection: the next use opens another.
   * @param timeoutMs - For everything, connecting included.
   * @throws DatabaseError `unreachable` when it took too long, with `isUnasked` when there was no connection; whatever opening
   *   and the work throw.
   */
  async use<T>(timeoutMs: number, work: (connection: C, leftMs: number) => Promise<T>): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    const leftMs = (): number => Math.max(deadline - performance.now(), 1);
    const connection = await this.#take(leftMs).catch((error: unknown) => {
      throw unasked(error);
    });
    try {
      const result = await within(leftMs(), "the database took too long", work(connection, leftMs()));
      this.#answeredAtMs = performance.now();
      return result;
    } catch (error) {
      if (error instanceof DatabaseError && error.kind !== "statement") await this.#drop();
      throw error;
    }
  }

  async #take(leftMs: () => number): Promise<C> {
    if (this.#isClosed) throw new DatabaseError("unreachable", "the connection was closed");
    const kept = this.#kept;
    if (kept !== undefined) {
      const connection = await kept;
      if (performance.now() - this.#answeredAtMs < FRESH_MS) return connection;
      const timeoutMs = Math.min(leftMs(), ALIVE_MS_MAX);
      const isAlive = await within(timeoutMs, "", this.#driver.isAlive(connection)).catch(() => false);
      if (isAlive) return connection;
      if (this.#kept === kept) await this.#drop();
    }
    this.#kept ??= this.#open(leftMs());
    return this.#kept;
  }

  #open(timeoutMs: number): Promise<C> {
    const opening = this.#driver.open(timeoutMs);
    const settled = within(timeoutMs, "the database did not answer in time", opening).then((connection) => {
      this.#answeredAtMs = performance.now();
      return connection;
    });
    // Whoever waits for it meets the failure; the next use tries anew, and one that comes too late is nobody's.
    settled.catch(() => {
      if (this.#kept === settled) this.#kept = undefined;
      opening.then((connection) => this.#end(connection)).catch(messageOf);
    });
    return settled;
  }

  async #drop(): Promise<void> {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept === undefined) return;
    const connection = await kept.catch(() => undefined);
    if (connection === undefined) return;
    await this.#end(connection);
  }

  /** It is not used any more, whether it ends cleanly or not. */
  async #end(connection: C): Promise<void> {
    await within(CLOSE_MS_MAX, "", this.#driver.close(connection)).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#drop();
  }
}

const CLOSE_MS_MAX = 2_000;

/**
 * The promise's outcome, unless it takes too long.
 * @throws DatabaseError `unreachable`, naming the time.
 */
export async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new DatabaseError("unreachable", `${what} (${Math.round(timeoutMs / 1000)} s)`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
    // The loser of the race must not surface as an unhandled rejection.
    promise.catch(messageOf);
  }
}
