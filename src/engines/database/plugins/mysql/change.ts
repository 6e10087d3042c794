import { ConnectionLost, type Redactor, StatementRefused } from "../../failures.ts";
import { DatabaseError } from "../../plugin.ts";
import type { Connection, Row } from "./connection.ts";
import { asDatabaseError } from "./failures.ts";
import { lockName } from "./quoting.ts";

/** How long a change waits for another one of the same user. */
const LOCK_SECONDS = 20;

/** A change of one user: a role's statements, or the plugin's own. */
export interface Change {
  readonly username: string;
  readonly statements: readonly string[];
  /** Knows the secrets that are in the statements. */
  readonly redactor: Redactor;
}

/**
 * Runs statements one by one, in one transaction, while nobody else creates or deletes the same user. Statements about users
 * commit by themselves and cannot be taken back, so a failure after the first is an outcome that is not known: whoever asked
 * has to delete the user. They are not prepared, since many of them cannot be, and those that can gain nothing from it.
 * @throws DatabaseError; ConnectionLost while nothing can have taken effect.
 */
export async function runChange(connection: Connection, change: Change): Promise<void> {
  const { username, statements, redactor } = change;
  // The first answer also shows that a connection which had lain idle is not lost.
  await lockUser(connection, username);
  let isMade = false;
  for (const [index, statement] of statements.entries()) {
    try {
      await connection.query(statement);
    } catch (error) {
      const what = `statement ${index + 1} of ${statements.length}`;
      const failure = asDatabaseError(error, what, redactor);
      if (error instanceof ConnectionLost) throw ambiguous(failure);
      await end(connection, username, "ROLLBACK").catch(ignoreLoss);
      // Several statements in one text: an earlier one of them may have taken effect.
      throw isMade || statement.includes(";") ? ambiguous(failure) : failure;
    }
    isMade = true;
  }
  try {
    await end(connection, username, "COMMIT");
  } catch (error) {
    throw ambiguous(asDatabaseError(error, "committing", redactor));
  }
}

function ambiguous(failure: DatabaseError): DatabaseError {
  return new DatabaseError("ambiguous", failure.message, { serverCode: failure.serverCode });
}

async function lockUser(connection: Connection, username: string): Promise<void> {
  const [rows] = await connection
    .query(`SELECT GET_LOCK(${lockName(username)}, ${LOCK_SECONDS}) AS locked; START TRANSACTION`)
    .catch(withoutLock(connection));
  if (isTaken(rows?.[0])) return;
  throw new DatabaseError("unreachable", "another change of the same user is under way on the server");
}

/** Clusters that refuse locks by name (Galera in its strict mode) are worked with all the same: revocation looks twice. */
function withoutLock(connection: Connection) {
  return async (error: unknown): Promise<readonly (readonly Row[])[]> => {
    if (!(error instanceof StatementRefused)) throw error;
    await connection.query("START TRANSACTION");
    return [[{ locked: 1 }]];
  };
}

function isTaken(row: Row | undefined): boolean {
  return Number(row?.locked ?? 0) === 1;
}

async function end(connection: Connection, username: string, how: "COMMIT" | "ROLLBACK"): Promise<void> {
  await connection.query(how);
  await connection.query(`DO RELEASE_LOCK(${lockName(username)})`).catch(ignoreRefusal);
}

/** A lock that could not be taken cannot be released either. */
function ignoreRefusal(error: unknown): void {
  if (!(error instanceof StatementRefused)) throw error;
}

/** The statement's own failure is what is reported; the server takes back what it can by itself. */
function ignoreLoss(error: unknown): void {
  if (!(error instanceof ConnectionLost)) throw error;
}
