import type { Clock } from "../../../../base/clock.ts";
import { StatementRefused } from "../../failures.ts";
import { DatabaseError } from "../../plugin.ts";
import type { Connection } from "./connection.ts";
import { isRefusal, SERVER_ERROR } from "./failures.ts";
import { binaryList } from "./quoting.ts";

/** How long ended sessions may take to go away. */
const SESSIONS_GONE_MS_MAX = 10_000;
const POLL_MS_FIRST = 2;
const POLL_MS_MAX = 100;

interface Session {
  readonly id: number;
  readonly user: string;
}

/** Its rows do not matter: it is refused to whoever lacks PROCESS, who would see no sessions but his own. */
export const SESSIONS_PROBE = "SELECT 1 FROM information_schema.INNODB_CMP LIMIT 1";

/**
 * Ends all sessions of these users and waits until they are gone.
 * @returns The users whose sessions are still there after ten seconds.
 * @throws ConnectionLost; DatabaseError when the administrator may not see the sessions, or end one.
 */
export async function endSessions(
  connection: Connection,
  usernames: readonly string[],
  clock: Clock,
): Promise<ReadonlySet<string>> {
  const deadline = performance.now() + SESSIONS_GONE_MS_MAX;
  for (let pauseMs = POLL_MS_FIRST; ; pauseMs = Math.min(pauseMs * 2, POLL_MS_MAX)) {
    const sessions = await sessionsOf(connection, usernames);
    if (sessions.length === 0 || performance.now() > deadline)
      return new Set(sessions.map(({ user }) => user));
    for (const { id } of sessions) await killOrSay(connection, id);
    await clock.sleep(pauseMs);
  }
}

async function sessionsOf(connection: Connection, usernames: readonly string[]): Promise<readonly Session[]> {
  const query = `SELECT ID AS id, USER AS user FROM information_schema.PROCESSLIST WHERE USER IN (${binaryList(usernames)})`;
  const queries = connection.seesSessions ? [query] : [SESSIONS_PROBE, query];
  try {
    const results = await connection.query(queries.join("; "));
    connection.seesSessions = true;
    return (results.at(-1) ?? []).map(({ id, user }) => ({ id: Number(id), user: String(user) }));
  } catch (error) {
    if (!isRefusal(error, SERVER_ERROR.privilegeMissing)) throw error;
    throw new DatabaseError(
      "statement",
      "the administrator cannot see whether sessions are open: grant it PROCESS, and CONNECTION ADMIN to end them",
      { serverCode: String(SERVER_ERROR.privilegeMissing) },
    );
  }
}

/** Waits until a session is gone, ten seconds at most. @throws StatementRefused; ConnectionLost. */
export async function awaitEnd(connection: Connection, id: number, clock: Clock): Promise<void> {
  const deadline = performance.now() + SESSIONS_GONE_MS_MAX;
  for (let pauseMs = POLL_MS_FIRST; ; pauseMs = Math.min(pauseMs * 2, POLL_MS_MAX)) {
    const [rows = []] = await connection.query(
      `SELECT ID FROM information_schema.PROCESSLIST WHERE ID = ${id}`,
    );
    if (rows.length === 0 || performance.now() > deadline) return;
    await clock.sleep(pauseMs);
  }
}

/**
 * Ends one session, by the procedure of Amazon's service where the statement is not for its administrators. One that has ended
 * already is a success. @throws StatementRefused; ConnectionLost.
 */
export async function kill(connection: Connection, id: number): Promise<void> {
  try {
    await connection.query(`KILL CONNECTION ${id}`);
  } catch (error) {
    if (isRefusal(error, SERVER_ERROR.noSuchThread)) return;
    if (!isRefusal(error, SERVER_ERROR.killDenied) || !(await isKilledAtAmazon(connection, id))) throw error;
  }
}

async function isKilledAtAmazon(connection: Connection, id: number): Promise<boolean> {
  try {
    await connection.query(`CALL mysql.rds_kill(${id})`);
    return true;
  } catch (error) {
    if (!(error instanceof StatementRefused)) throw error;
    return isRefusal(error, SERVER_ERROR.noSuchThread);
  }
}

/** @throws DatabaseError saying what the administrator lacks; StatementRefused; ConnectionLost. */
async function killOrSay(connection: Connection, id: number): Promise<void> {
  try {
    await kill(connection, id);
  } catch (error) {
    if (!isRefusal(error, SERVER_ERROR.killDenied)) throw error;
    throw new DatabaseError(
      "statement",
      "the administrator may not end sessions: grant it CONNECTION ADMIN (MariaDB), CONNECTION_ADMIN (MySQL) or, on old servers, SUPER",
      { serverCode: String(SERVER_ERROR.killDenied) },
    );
  }
}
