import type { Socket } from "node:net";
import type { ConnectionOptions, Connection as DriverConnection } from "mysql2";
import { ConnectionLost } from "../../failures.ts";
import { DatabaseError } from "../../plugin.ts";
import type { PooledConnection } from "../../pool.ts";
import type { Place } from "./dsn.ts";
import { classify, connectFailure } from "./failures.ts";
import type { MysqlSettings } from "./settings.ts";
import { encrypt, openSocket, placeText } from "./socket.ts";

export type Row = Readonly<Record<string, unknown>>;

/** What of the server decides how it is spoken to. */
export interface ServerKind {
  readonly isMariadb: boolean;
  /** Major, minor and patch, as one number: 10.11.19 is 101119. */
  readonly version: number;
}

/** Members of the driver's connection that its types do not tell of. */
interface Internals {
  stream: Socket;
  readonly packetParser: { execute(data: Buffer): void };
  startTLS(onSecure: (error?: Error) => void): void;
}

type Driver = DriverConnection & Internals;

/** How long the server may wait for a lock on behalf of one of our statements, in seconds. */
const LOCK_SECONDS_MAX = 20;
const CLOSE_MS_MAX = 1000;
const NO_TLS = "HANDSHAKE_NO_SSL_SUPPORT";

/** One session of the administrator. */
export class Connection implements PooledConnection {
  readonly openedAtMs: number;
  isReused = false;
  readonly server: ServerKind;
  /** The administrator was found to see all sessions; see sessions.ts. */
  seesSessions = false;
  readonly #driver: Driver;
  readonly #socket: Socket;
  #lost: string | undefined;

  private constructor(driver: Driver, socket: Socket, server: ServerKind) {
    this.openedAtMs = performance.now();
    this.#driver = driver;
    this.#socket = socket;
    this.server = server;
    driver.on("error", (error) => {
      this.#lost ??= error.message;
    });
    driver.on("end", () => {
      this.#lost ??= "the server closed the connection";
    });
  }

  /**
   * Connects to the first place that answers.
   * @param greeted - Called when the socket is connected: then it is the server's turn.
   * @throws DatabaseError `auth` or `unreachable`.
   */
  static async open(settings: MysqlSettings, timeoutMs: number, greeted?: () => void): Promise<Connection> {
    let failure: DatabaseError | undefined;
    const limitMs = Math.min(timeoutMs, settings.connectTimeoutMs);
    for (const place of settings.places) {
      try {
        return await openPlace(settings, place, limitMs, greeted);
      } catch (error) {
        failure = connectFailure(error);
        if (failure.kind !== "unreachable") break;
      }
    }
    throw failure ?? new DatabaseError("unreachable", "connection_url names no host");
  }

  /** Over a driver's connection that has logged in. */
  static async over(
    driver: Driver,
    socket: Socket,
    serverVersion: string,
    variables: readonly string[],
  ): Promise<Connection> {
    const connection = new Connection(driver, socket, serverKind(serverVersion));
    const own = [
      `lock_wait_timeout = ${LOCK_SECONDS_MAX}`,
      `innodb_lock_wait_timeout = ${LOCK_SECONDS_MAX}`,
      "time_zone = '+00:00'",
    ];
    try {
      await connection.query(`SET ${[...own, ...variables].join(", ")}`);
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  get isUsable(): boolean {
    return this.#lost === undefined;
  }

  /** The server's number for this session. */
  get id(): number {
    return this.#driver.threadId;
  }

  /**
   * Runs a text with one statement or several; the first that is refused ends it.
   * @returns The rows of each statement, in order; none for one that answers with no rows.
   * @throws ConnectionLost; StatementRefused.
   */
  query(text: string): Promise<readonly (readonly Row[])[]> {
    if (this.#lost !== undefined) return Promise.reject(new ConnectionLost(this.#lost));
    return new Promise((resolve, reject) => {
      this.#driver.query(text, (error, results: unknown, fields: unknown) => {
        if (error !== null)
          reject(this.#lost === undefined ? classify(error) : new ConnectionLost(this.#lost));
        else resolve(rowsOf(results, fields));
      });
    });
  }

  setIdle(isIdle: boolean): void {
    if (isIdle) this.#socket.unref();
    else this.#socket.ref();
  }

  destroy(reason = "the connection was closed"): void {
    this.#lost ??= reason;
    this.#driver.stream.destroy();
    this.#socket.destroy();
  }

  async close(): Promise<void> {
    if (this.#lost !== undefined) return this.destroy();
    this.#lost = "the connection was closed";
    this.#socket.ref();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CLOSE_MS_MAX);
      // The goodbye is sent; the server's end of it is not waited for.
      this.#driver.end(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.#driver.stream.end();
    this.#socket.end(() => this.#socket.destroy());
  }
}

/** The driver gives one statement's answer bare, and those of several in a list; each is a list of rows, or a summary. */
function rowsOf(results: unknown, fields: unknown): readonly (readonly Row[])[] {
  const isSeveral =
    Array.isArray(results) &&
    Array.isArray(fields) &&
    fields.some((each) => each === undefined || Array.isArray(each));
  const list: readonly unknown[] = isSeveral ? (results as unknown[]) : [results];
  return list.map((rows) => (Array.isArray(rows) ? (rows as Row[]) : []));
}

/** MariaDB's versions begin with `5.5.5-` where a replica could be confused by the real one. */
function serverKind(text: string): ServerKind {
  const match = /^(?:5\.5\.5-)?(\d+)\.(\d+)\.(\d+)/.exec(text);
  const [major = 0, minor = 0, patch = 0] = (match?.slice(1) ?? []).map(Number);
  return { isMariadb: /mariadb/i.test(text), version: major * 10_000 + minor * 100 + patch };
}

async function openPlace(
  settings: MysqlSettings,
  place: Place,
  timeoutMs: number,
  greeted: (() => void) | undefined,
): Promise<Connection> {
  const { mode } = settings.tls;
  const isEncrypted = mode !== "off" && !("path" in place && mode === "preferred");
  try {
    return await openWay(settings, place, isEncrypted, timeoutMs, greeted);
  } catch (error) {
    if (mode !== "preferred" || !isEncrypted || (error as { code?: unknown } | null)?.code !== NO_TLS)
      throw error;
  }
  return openWay(settings, place, false, timeoutMs, greeted);
}

async function openWay(
  settings: MysqlSettings,
  place: Place,
  isEncrypted: boolean,
  timeoutMs: number,
  greeted: (() => void) | undefined,
): Promise<Connection> {
  const deadline = performance.now() + timeoutMs;
  const [{ createConnection }, socket] = await Promise.all([import("mysql2"), openSocket(place, timeoutMs)]);
  const leftMs = Math.max(deadline - performance.now(), 1);
  const driver = createConnection(driverOptions(settings, place, socket, isEncrypted, leftMs)) as Driver;
  driver.startTLS = (onSecure) => {
    startTls(driver, place, settings).then(() => onSecure(), onSecure);
  };
  greeted?.();
  try {
    const serverVersion = await connected(driver);
    return await Connection.over(driver, socket, serverVersion, settings.variables);
  } catch (error) {
    socket.destroy();
    throw error instanceof Error && error.message.includes("connect ETIMEDOUT")
      ? new DatabaseError("unreachable", `${placeText(place)} did not answer within ${timeoutMs} ms`)
      : error;
  }
}

/** Waits for the login. @returns The server's version, as it says it. */
function connected(driver: Driver): Promise<string> {
  return new Promise((resolve, reject) => {
    driver.once("error", reject);
    driver.once("connect", (greeting: { readonly serverVersion?: string }) => {
      driver.off("error", reject);
      resolve(greeting.serverVersion ?? "");
    });
  });
}

/** Takes the place of the driver's own way to start TLS, which cannot verify a certificate for an address. */
async function startTls(driver: Driver, place: Place, { tls }: MysqlSettings): Promise<void> {
  const plain = driver.stream;
  plain.removeAllListeners("data");
  const secure = await encrypt(plain, place, tls);
  secure.on("data", (data: Buffer) => driver.packetParser.execute(data));
  secure.on("error", (error) => plain.destroy(error));
  driver.stream = secure;
}

function driverOptions(
  settings: MysqlSettings,
  place: Place,
  socket: Socket,
  isEncrypted: boolean,
  timeoutMs: number,
): ConnectionOptions {
  return {
    stream: socket,
    user: settings.user,
    password: settings.password,
    ...(settings.database === "" ? {} : { database: settings.database }),
    // Tells the driver that what it sends cannot be listened to.
    ...("path" in place ? { socketPath: place.path } : {}),
    ...(isEncrypted ? { ssl: {} } : {}),
    connectTimeout: Math.ceil(timeoutMs),
    enableCleartextPlugin: settings.isCleartextAllowed,
    // Ours are sent several at a time; a role's statements one by one.
    multipleStatements: true,
    // The server must not ask for files of this machine.
    flags: ["-LOCAL_FILES"],
    supportBigNumbers: true,
    // What the driver would compile for each query costs more than it saves here.
    disableEval: true,
    connectAttributes: { program_name: "vsec" },
  } as ConnectionOptions;
}
