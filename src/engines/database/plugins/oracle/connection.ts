import type { Connection, Pool } from "oracledb";
import { messageOf } from "../../../../base/errors.ts";
import { ConnectionLost, StatementRefused } from "../../failures.ts";
import type { ConnectionDriver } from "../../kept-connection.ts";
import { DatabaseError } from "../../plugin.ts";
import type { OracleSettings } from "./settings.ts";

export type Row = Readonly<Record<string, unknown>>;

/** One session of the administrator. */
export interface Session {
  /**
   * @param values - Bound by name. Data definition takes none.
   * @throws StatementRefused, with the code as `ORA-01918`; ConnectionLost.
   */
  query(text: string, values?: Readonly<Record<string, string>>): Promise<readonly Row[]>;
}

/** The administrator's sessions. */
export interface OracleConnection {
  /** Lends a session; what the work has not committed is rolled back. */
  withSession<T>(work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const CONNECT_SECONDS_MAX = 15;
const CALL_MS_MAX = 30_000;
const QUEUE_MS_MAX = 30_000;

/** The driver in its thin mode: it speaks the protocol itself, without Oracle's libraries. */
export function oracleDriver(settings: OracleSettings): ConnectionDriver<OracleConnection> {
  return {
    open: () => open(settings),
    isAlive: async (connection) =>
      (await connection.withSession((session) => session.query("SELECT 1 AS ONE FROM dual"))).length === 1,
    close: (connection) => connection.close(),
  };
}

async function open(settings: OracleSettings): Promise<OracleConnection> {
  const { default: oracledb } = await import("oracledb");
  let pool: Pool | undefined;
  try {
    pool = await oracledb.createPool({
      user: settings.username,
      password: settings.password,
      connectString: settings.connectString,
      poolMin: 0,
      poolMax: settings.limits.connectionsMax,
      queueTimeout: QUEUE_MS_MAX,
      connectTimeout: CONNECT_SECONDS_MAX,
    });
    // A pool opens nothing by itself: this is the login.
    await (await pool.getConnection()).close();
  } catch (error) {
    await pool?.close(0).catch(messageOf);
    throw connectFailure(error);
  }
  const opened = pool;
  const rows = { outFormat: oracledb.OUT_FORMAT_OBJECT };
  return {
    withSession: (work) => withSession(opened, rows, work),
    close: () => opened.close(0),
  };
}

async function withSession<T>(
  pool: Pool,
  rows: { readonly outFormat: number },
  work: (session: Session) => Promise<T>,
): Promise<T> {
  let connection: Connection;
  try {
    connection = await pool.getConnection();
  } catch (error) {
    throw connectFailure(error);
  }
  connection.callTimeout = CALL_MS_MAX;
  const session: Session = {
    query: async (text, values = {}) => {
      try {
        return ((await connection.execute(text, { ...values }, rows)).rows ?? []) as readonly Row[];
      } catch (error) {
        throw classify(error);
      }
    },
  };
  try {
    const result = await work(session);
    await connection.commit().catch((error: unknown) => {
      throw new DatabaseError(
        "ambiguous",
        `the commit was sent, and its outcome is not known: ${messageOf(error)}`,
      );
    });
    return result;
  } finally {
    // Back to the pool, which rolls back what is left and drops a connection that is broken.
    await connection.close().catch(messageOf);
  }
}

/** The driver's own errors are NJS-…; of the server's these end the session or tell that there is none. */
const LOST = new Set([
  ...["ORA-00028", "ORA-01012", "ORA-01033", "ORA-01034", "ORA-01089", "ORA-01090", "ORA-01092", "ORA-02396"],
  ...["ORA-03113", "ORA-03114", "ORA-03135", "ORA-03136", "ORA-12514", "ORA-12541", "ORA-12545", "ORA-12170"],
]);

function codeOf(message: string): string | undefined {
  return /^(?:ORA-\d{5}|NJS-\d{3})/.exec(message)?.[0];
}

/** Sorts what the driver threw while a connection was in use. */
export function classify(error: unknown): ConnectionLost | StatementRefused {
  if (error instanceof ConnectionLost || error instanceof StatementRefused) return error;
  // The driver adds a line with the address of a page of help.
  const message = messageOf(error).split("\n")[0] ?? "";
  const code = codeOf(message);
  if (code === undefined || code.startsWith("NJS-") || LOST.has(code))
    return new ConnectionLost(message, code);
  return new StatementRefused(message, code);
}

/** Invalid user name or password, locked, expired, no CREATE SESSION; and the driver's own word for a missing login. */
const AUTH = new Set(["ORA-01017", "ORA-28000", "ORA-28001", "ORA-01045", "ORA-01005", "NJS-101"]);

/** Sorts what the driver threw while connecting. */
export function connectFailure(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const message = messageOf(error).split("\n")[0] ?? "";
  const serverCode = codeOf(message);
  const isAuth = serverCode !== undefined && AUTH.has(serverCode);
  return new DatabaseError(isAuth ? "auth" : "unreachable", message, { serverCode });
}
