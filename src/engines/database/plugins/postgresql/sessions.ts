import type { Clock } from "../../../../base/clock.ts";
import type { Connection, Query } from "./connection.ts";

/** How long ended sessions may take to go away. */
const SESSIONS_GONE_MS_MAX = 10_000;
const POLL_MS_FIRST = 2;
const POLL_MS_MAX = 100;

/** The roles that have sessions: one row for each. */
export function sessionHolders(oids: readonly number[]): Query {
  return {
    text:
      "SELECT DISTINCT usesysid::int8::float8 AS oid FROM pg_stat_activity " +
      "WHERE usesysid = ANY($1::oid[]) AND pid <> pg_backend_pid()",
    values: [oids],
  };
}

/** Tells the sessions of these roles to end; one row for each session that was there. */
function terminate(oids: readonly number[]): Query {
  // The one-argument form: the second argument, a timeout, came with version 14.
  return {
    text:
      "SELECT usesysid::int8::float8 AS oid, pg_terminate_backend(pid) AS told FROM pg_stat_activity " +
      "WHERE usesysid = ANY($1::oid[]) AND pid <> pg_backend_pid()",
    values: [oids],
  };
}

/**
 * Ends all sessions of these roles, whatever role they have taken on since they logged in, and waits until they are gone.
 * @returns The roles whose sessions are still there after ten seconds.
 * @throws ConnectionLost; StatementRefused when the administrator may not end the sessions.
 */
export async function endSessions(
  connection: Connection,
  oids: readonly number[],
  clock: Clock,
): Promise<ReadonlySet<number>> {
  const deadline = performance.now() + SESSIONS_GONE_MS_MAX;
  for (let pauseMs = POLL_MS_FIRST; ; pauseMs = Math.min(pauseMs * 2, POLL_MS_MAX)) {
    const rows = await connection.query(terminate(oids));
    const remaining = new Set(rows.map(({ oid }) => Number(oid)));
    if (remaining.size === 0 || performance.now() > deadline) return remaining;
    await clock.sleep(pauseMs);
  }
}

/**
 * Waits until these roles have no sessions any more, or the time is over.
 * @param untilMs - By `performance.now()`.
 */
export async function awaitSessions(
  connection: Connection,
  oids: readonly number[],
  clock: Clock,
  untilMs: number,
): Promise<void> {
  for (
    let pauseMs = POLL_MS_FIRST;
    performance.now() < untilMs;
    pauseMs = Math.min(pauseMs * 2, POLL_MS_MAX)
  ) {
    const rows = await connection.query(sessionHolders(oids));
    if (rows.length === 0) return;
    await clock.sleep(pauseMs);
  }
}
