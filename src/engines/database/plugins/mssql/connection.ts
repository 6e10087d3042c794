import { readFile } from "node:fs/promises";
import type { ConnectionPool, config, Transaction } from "mssql";
import { messageOf } from "../../../../base/errors.ts";
import { ConnectionLost, StatementRefused } from "../../failures.ts";
import type { ConnectionDriver } from "../../kept-connection.ts";
import { DatabaseError } from "../../plugin.ts";
import type { MssqlSettings } from "./settings.ts";

export type Row = Readonly<Record<string, unknown>>;

/** Something that statements can be sent to. */
export interface Session {
  /**
   * @param values - The text parameters of the statement, by name; it then cannot make or use another database.
   * @throws StatementRefused, with the error number; ConnectionLost.
   */
  query(text: string, values?: Readonly<Record<string, string>>): Promise<readonly Row[]>;
}

/** The administrator's connections. */
export interface MssqlConnection extends Session {
  /** Work on one connection, all or nothing. A failure of the commit itself is `ambiguous`. */
  inTransaction(work: (session: Session) => Promise<void>): Promise<void>;
  /** Work on one connection that is taken back, however it ends. */
  rolledBack<T>(work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const REQUEST_MS_MAX = 30_000;

export function mssqlDriver(settings: MssqlSettings): ConnectionDriver<MssqlConnection> {
  return {
    open: () => open(settings),
    isAlive: async (connection) => (await connection.query("SELECT 1 AS one")).length === 1,
    close: (connection) => connection.close(),
  };
}

async function open(settings: MssqlSettings): Promise<MssqlConnection> {
  const { default: driver } = await import("mssql");
  const pool = new driver.ConnectionPool(poolConfig(settings, await authoritiesOf(settings)));
  // An idle connection's failure is met by the next use.
  pool.on("error", messageOf);
  try {
    await pool.connect();
  } catch (error) {
    await pool.close().catch(messageOf);
    throw connectFailure(error);
  }
  return {
    query: (text, values) => query(pool, text, values),
    inTransaction: (work) => inTransaction(new driver.Transaction(pool), work),
    rolledBack: (work) => rolledBack(new driver.Transaction(pool), work),
    close: () => pool.close(),
  };
}

async function authoritiesOf({ authorityFile, isVerified }: MssqlSettings): Promise<string | undefined> {
  if (authorityFile === "" || !isVerified) return undefined;
  return readFile(authorityFile, "utf8").catch((error: unknown) => {
    throw new DatabaseError("unreachable", `cannot read the file of certificate: ${messageOf(error)}`);
  });
}

function poolConfig(settings: MssqlSettings, authorities: string | undefined): config {
  const { host, port, instance, username, password, database, limits } = settings;
  return {
    server: host,
    ...(port === 0 ? {} : { port }),
    user: username,
    password,
    ...(database === "" ? {} : { database }),
    connectionTimeout: settings.connectTimeoutMs,
    requestTimeout: REQUEST_MS_MAX,
    pool: { min: 0, max: limits.connectionsMax },
    options: {
      appName: settings.applicationName,
      encrypt: settings.encryption,
      trustServerCertificate: !settings.isVerified,
      ...(authorities === undefined ? {} : { cryptoCredentialsDetails: { ca: authorities } }),
      ...(settings.serverName === "" ? {} : { serverName: settings.serverName }),
      ...(port === 0 && instance !== "" ? { instanceName: instance } : {}),
    } as NonNullable<config["options"]>,
  };
}

async function query(
  parent: ConnectionPool | Transaction,
  text: string,
  values: Readonly<Record<string, string>> | undefined,
): Promise<readonly Row[]> {
  try {
    const request = parent.request();
    // Without parameters the text is a batch, as many statements (CREATE LOGIN, USE) have to be.
    if (values === undefined) return (await request.batch(text)).recordset ?? [];
    for (const [name, value] of Object.entries(values)) request.input(name, value);
    return (await request.query(text)).recordset ?? [];
  } catch (error) {
    throw classify(error);
  }
}

async function inTransaction(
  transaction: Transaction,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const session = await begin(transaction);
  let goHome: string | undefined;
  try {
    goHome = await homeOf(session);
    await work(session);
    await session.query(goHome);
  } catch (error) {
    if (goHome !== undefined) await session.query(goHome).catch(messageOf);
    // A severe error has rolled back already, which makes this one a failure of no interest.
    await transaction.rollback().catch(messageOf);
    throw error;
  }
  try {
    await transaction.commit();
  } catch (error) {
    throw new DatabaseError(
      "ambiguous",
      `the commit was sent, and its outcome is not known: ${messageOf(error)}`,
    );
  }
}

async function rolledBack<T>(transaction: Transaction, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await begin(transaction);
  try {
    const goHome = await homeOf(session);
    const result = await work(session);
    // What was refused may have ended the transaction, and this would be refused then.
    await session.query(goHome).catch(messageOf);
    return result;
  } finally {
    await transaction.rollback().catch(messageOf);
  }
}

async function begin(transaction: Transaction): Promise<Session> {
  try {
    await transaction.begin();
  } catch (error) {
    throw classify(error);
  }
  return { query: (text, values) => query(transaction, text, values) };
}

/** The statement that goes back: statements may use another database, and the connection serves others afterwards. */
async function homeOf(session: Session): Promise<string> {
  const [home] = await session.query("SELECT DB_NAME() AS name");
  return `USE ${identifier(String(home?.name))}`;
}

/** A name as T-SQL quotes it. */
export function identifier(name: string): string {
  return `[${name.replaceAll("]", "]]")}]`;
}

/** A text as T-SQL writes it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

interface DriverFailure {
  readonly code?: string;
  readonly number?: number;
}

/** The driver's codes for a server that could not be talked to. */
const LOST = new Set([
  "ETIMEOUT",
  "ESOCKET",
  "ECONNCLOSED",
  "ENOTOPEN",
  "ECANCEL",
  "EINSTLOOKUP",
  "ENOCONN",
  "EABORT",
]);

/** Sorts what the driver threw while a connection was in use. */
export function classify(error: unknown): ConnectionLost | StatementRefused {
  if (error instanceof ConnectionLost || error instanceof StatementRefused) return error;
  const { code = "", number } = (error ?? {}) as DriverFailure;
  const message = messageOf(error);
  if (LOST.has(code) || number === undefined) return new ConnectionLost(message);
  return new StatementRefused(message, String(number));
}

/** Login failed; the login is disabled, its password has expired or must be changed; no such database for it. */
const AUTH = new Set([18_456, 18_470, 18_486, 18_487, 18_488, 4060]);

/** Sorts what the driver threw while connecting. */
export function connectFailure(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const { code, number } = (error ?? {}) as DriverFailure;
  const original = (error as { originalError?: DriverFailure } | null)?.originalError;
  const serverNumber = number ?? original?.number;
  const isAuth = code === "ELOGIN" || (serverNumber !== undefined && AUTH.has(serverNumber));
  const serverCode = serverNumber === undefined ? undefined : String(serverNumber);
  return new DatabaseError(isAuth ? "auth" : "unreachable", messageOf(error), { serverCode });
}
