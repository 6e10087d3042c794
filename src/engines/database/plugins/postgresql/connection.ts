import type { Socket } from "node:net";
import type { Client, ClientConfig, QueryResult } from "pg";
import type { Host } from "../../connection-url.ts";
import { ConnectionLost, type StatementRefused } from "../../failures.ts";
import { DatabaseError } from "../../plugin.ts";
import type { PooledConnection } from "../../pool.ts";
import { classify, connectFailure, HandshakeFailed } from "./failures.ts";
import type { PostgresSettings } from "./settings.ts";
import { ENCRYPTIONS, type Encryption, openSocket } from "./socket.ts";

export type Row = Readonly<Record<string, unknown>>;

/** A query with its parameters; without any it may be several statements. */
export interface Query {
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** The outcome of one query of a {@link Connection.pipeline}. */
export type QueryOutcome =
  | { readonly rows: readonly Row[]; readonly command: string; readonly failure?: undefined }
  | { readonly failure: ConnectionLost | StatementRefused };

export interface OpenOptions {
  /** Instead of the configured one. */
  readonly database?: string;
  /** Called when the server was greeted and it is its turn. */
  readonly greeted?: (() => void) | undefined;
}

/** One session of the administrator. Queries given together are sent together, without waiting for each answer. */
export class Connection implements PooledConnection {
  readonly openedAtMs: number;
  /** It was used before, so that its loss may be old news. */
  isReused = false;
  readonly #client: Client;
  readonly #socket: Socket;
  #lost: string | undefined;

  private constructor(client: Client, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
    this.openedAtMs = performance.now();
    client.on("error", (error) => {
      this.#lost ??= error.message;
    });
    client.on("end", () => {
      this.#lost ??= "the server closed the connection";
    });
  }

  /**
   * Connects to the first host that answers.
   * @throws DatabaseError `auth` or `unreachable`.
   */
  static async open(
    settings: PostgresSettings,
    timeoutMs: number,
    options: OpenOptions = {},
  ): Promise<Connection> {
    let failure: DatabaseError | undefined;
    for (const host of settings.hosts) {
      try {
        const limitMs = Math.min(timeoutMs, settings.connectTimeoutMs);
        return await Connection.#openHost(settings, host, options, limitMs);
      } catch (error) {
        failure = connectFailure(error);
        if (failure.kind !== "unreachable") break;
      }
    }
    throw failure ?? new DatabaseError("unreachable", "connection_url names no host");
  }

  static async #openHost(
    settings: PostgresSettings,
    host: Host,
    options: OpenOptions,
    timeoutMs: number,
  ): Promise<Connection> {
    const ways = host.host.startsWith("/") ? (["plain"] as const) : ENCRYPTIONS[settings.tls.mode];
    for (const [index, encryption] of ways.entries()) {
      try {
        const connection = await Connection.#openWay(settings, host, encryption, options, timeoutMs);
        if (settings.isPrimaryNeeded) await connection.#requirePrimary();
        return connection;
      } catch (error) {
        if (index === ways.length - 1 || !isTurnedAway(error)) throw error;
      }
    }
    throw new DatabaseError("unreachable", "no way to connect");
  }

  static async #openWay(
    settings: PostgresSettings,
    host: Host,
    encryption: Encryption,
    { database = settings.database, greeted }: OpenOptions,
    timeoutMs: number,
  ): Promise<Connection> {
    const [{ default: PgClient }, socket] = await Promise.all([
      // Not the whole driver: its pool and its native half would be loaded for nothing.
      import("pg/lib/client.js"),
      openSocket(host, encryption, settings.tls, timeoutMs),
    ]);
    const client = new PgClient(clientConfig(settings, host, database, socket, timeoutMs));
    const connection = new Connection(client, socket);
    try {
      const connected = client.connect();
      // The driver greets the server in the next turn.
      if (greeted !== undefined) setImmediate(greeted);
      await connected;
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  async #requirePrimary(): Promise<void> {
    const [row] = await this.query({ text: "SELECT pg_is_in_recovery() AS is_standby" });
    if (row?.is_standby !== true) return;
    this.destroy();
    throw new DatabaseError("unreachable", "the server is a standby, which takes no writes");
  }

  /** False when the connection broke, or is within a transaction that nobody will end. */
  get isUsable(): boolean {
    return this.#lost === undefined && this.#client.getTransactionStatus() === "I";
  }

  /**
   * Sends all queries at once and collects each one's outcome, in order. Each is a statement (or a transaction) of its
   * own unless an explicit transaction is open.
   */
  pipeline(queries: readonly Query[]): Promise<QueryOutcome[]> {
    if (this.#lost !== undefined) {
      const failure = new ConnectionLost(this.#lost);
      return Promise.resolve(queries.map(() => ({ failure })));
    }
    return Promise.all(queries.map((query) => this.#send(query)));
  }

  async #send(query: Query): Promise<QueryOutcome> {
    try {
      const { text, values } = query;
      const sent =
        values === undefined ? this.#client.query(text) : this.#client.query({ text, values: [...values] });
      // Several statements in one text give several results; the last one is the answer.
      const answer = (await sent) as QueryResult<Row> | QueryResult<Row>[];
      const result = Array.isArray(answer) ? answer.at(-1) : answer;
      return { rows: result?.rows ?? [], command: result?.command ?? "" };
    } catch (error) {
      return { failure: classify(error) };
    }
  }

  /** One query. @throws ConnectionLost or StatementRefused. */
  async query(query: Query): Promise<readonly Row[]> {
    const [outcome] = await this.pipeline([query]);
    if (outcome === undefined || outcome.failure !== undefined) {
      throw outcome?.failure ?? new ConnectionLost("no answer");
    }
    return outcome.rows;
  }

  /** Lets the process end while the connection lies idle, or not. */
  setIdle(isIdle: boolean): void {
    if (isIdle) this.#socket.unref();
    else this.#socket.ref();
  }

  /** Breaks the connection off; queries under way fail as lost. */
  destroy(reason = "the connection was closed"): void {
    this.#lost ??= reason;
    this.#socket.destroy();
  }

  /** Says goodbye. Resolves when that is sent; the server, which closes the connection then, is not waited for. Never throws. */
  async close(): Promise<void> {
    if (this.#lost !== undefined) return this.destroy();
    this.#lost = "the connection was closed";
    const socket = this.#socket;
    await farewell(socket);
    // A command that is done spends none of its time on closing what the server closes, or the end of the process.
    socket.unref();
    setTimeout(() => socket.destroy(), CLOSE_MS_MAX).unref();
  }
}

/** Type X, length 4 (PostgreSQL's message formats, `Terminate`). */
const TERMINATE = Uint8Array.of(0x58, 0, 0, 0, 4);
const CLOSE_MS_MAX = 1000;

/** Resolves when the goodbye is sent, or cannot be, or takes too long. */
function farewell(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, CLOSE_MS_MAX);
    const finish = () => {
      clearTimeout(timer);
      resolve();
    };
    socket.once("close", finish);
    socket.write(TERMINATE, finish);
    if (socket.writableLength === 0) finish();
    else socket.ref();
  });
}

function isTurnedAway(error: unknown): boolean {
  return error instanceof HandshakeFailed || (error as { code?: unknown } | null)?.code === "28000";
}

function clientConfig(
  settings: PostgresSettings,
  host: Host,
  database: string,
  socket: Socket,
  timeoutMs: number,
): ClientConfig {
  return {
    user: settings.user,
    // A function, so that an empty password does not fall back to the environment or a password file.
    password: () => settings.password,
    host: host.host,
    port: host.port,
    database,
    ssl: false,
    sslnegotiation: "postgres",
    client_encoding: "utf8",
    application_name: settings.applicationName,
    connectionTimeoutMillis: timeoutMs,
    pipeline: true,
    stream: () => adopt(socket),
    ...(settings.options === undefined ? {} : { options: settings.options }),
  };
}

/** The driver connects the stream it is given; this one already is connected, and only has to say so. */
function adopt(socket: Socket): Socket {
  const connect = (): Socket => {
    process.nextTick(() => {
      socket.emit("connect");
      socket.resume();
    });
    return socket;
  };
  return Object.assign(socket, { connect });
}
