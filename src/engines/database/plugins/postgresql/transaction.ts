import { hash } from "node:crypto";
import { ConnectionLost, type Redactor } from "../../failures.ts";
import { DatabaseError } from "../../plugin.ts";
import type { Connection, Query, QueryOutcome, Row } from "./connection.ts";
import { asDatabaseError } from "./failures.ts";

/** How long the server may work on one statement, and wait for one lock, in a transaction of ours. */
export interface ServerLimits {
  readonly statementMsMax: number;
  readonly lockMsMax: number;
}

/** For creating, renewing and changing passwords. */
export const STATEMENT_LIMITS: ServerLimits = { statementMsMax: 25_000, lockMsMax: 20_000 };

/** For waiting until a creation is over, which is given 45 seconds in all. */
export const WAIT_LIMITS: ServerLimits = { statementMsMax: 55_000, lockMsMax: 50_000 };

/**
 * The start of every transaction. The isolation level matters: a statement after the wait for a lock must see what the
 * lock's holder committed.
 */
export function begin(limits: ServerLimits, isFlushed = true): Query {
  const settings = [
    `SET LOCAL statement_timeout = ${limits.statementMsMax}`,
    `SET LOCAL lock_timeout = ${limits.lockMsMax}`,
    "SET LOCAL timezone = 'UTC'",
    ...(isFlushed ? [] : ["SET LOCAL synchronous_commit = off"]),
  ];
  return { text: `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ${settings.join("; ")}` };
}

/** The key under which creation and deletion of a user name exclude each other: the first 8 bytes of its SHA-256. */
export function lockKey(username: string): string {
  return hash("sha256", username, "buffer").readBigInt64BE(0).toString();
}

/** The first failure among outcomes; later ones follow from it, since a failed transaction refuses all that comes after. */
export function firstFailure(
  outcomes: readonly QueryOutcome[],
): { readonly index: number; readonly failure: Error } | undefined {
  const lost = outcomes.find(({ failure }) => failure instanceof ConnectionLost)?.failure;
  const index = outcomes.findIndex(({ failure }) => failure !== undefined);
  const failure = outcomes[index]?.failure;
  if (failure === undefined) return undefined;
  return { index, failure: lost ?? failure };
}

/** The rows of an outcome that did not fail. */
export function rowsOf(outcome: QueryOutcome | undefined): readonly Row[] {
  return outcome === undefined || outcome.failure !== undefined ? [] : outcome.rows;
}

/**
 * Commits.
 * @throws DatabaseError `ambiguous` when the answer did not come; `statement` when the server rolled back instead.
 */
export async function commit(connection: Connection, redactor: Redactor): Promise<void> {
  const [outcome] = await connection.pipeline([COMMIT]);
  checkCommit(outcome, redactor);
}

export const COMMIT: Query = { text: "COMMIT" };

/** Like {@link commit}, of a {@link COMMIT} that was sent together with other queries. */
export function checkCommit(outcome: QueryOutcome | undefined, redactor: Redactor): void {
  if (outcome === undefined || outcome.failure instanceof ConnectionLost) {
    const reason = outcome?.failure?.message ?? "no answer";
    throw new DatabaseError("ambiguous", `connection lost while committing: ${redactor.text(reason)}`);
  }
  if (outcome.failure !== undefined) throw asDatabaseError(outcome.failure, "commit", redactor);
  if (outcome.command === "ROLLBACK") {
    throw new DatabaseError("statement", "commit failed: the server rolled the transaction back");
  }
}

/**
 * Runs statements in one transaction, all or none. On a new connection all of it is sent at once, the commit too: the server
 * rolls back instead when a statement failed. A connection that was used before may have been lost while it lay idle, and
 * that must not look like a commit of unknown outcome: there the commit goes alone, as the second of two round trips.
 * @param lockedName - The user name that nobody else may create or delete meanwhile.
 * @throws DatabaseError; ConnectionLost while nothing can have taken effect.
 */
export async function runTransaction(
  connection: Connection,
  statements: readonly string[],
  redactor: Redactor,
  lockedName?: string,
): Promise<void> {
  const opening: Query[] = [begin(STATEMENT_LIMITS)];
  if (lockedName !== undefined) {
    opening.push({ text: `SELECT pg_advisory_xact_lock('${lockKey(lockedName)}'::bigint)` });
  }
  const isOneGo = !connection.isReused;
  const queries = [...opening, ...statements.map((text) => ({ text })), ...(isOneGo ? [COMMIT] : [])];
  const outcomes = await connection.pipeline(queries);
  const failed = firstFailure(outcomes);
  if (failed !== undefined) {
    if (failed.failure instanceof ConnectionLost && isOneGo) return checkCommit(outcomes.at(-1), redactor);
    if (failed.failure instanceof ConnectionLost) throw failed.failure;
    if (!isOneGo) await connection.pipeline([{ text: "ROLLBACK" }]);
    const position = failed.index - opening.length + 1;
    const what = position < 1 ? "starting the transaction" : `statement ${position} of ${statements.length}`;
    throw asDatabaseError(failed.failure, what, redactor);
  }
  if (isOneGo) checkCommit(outcomes.at(-1), redactor);
  else await commit(connection, redactor);
}
