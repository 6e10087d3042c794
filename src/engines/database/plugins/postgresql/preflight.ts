import { ConnectionLost, type Redactor, StatementRefused } from "../../failures.ts";
import { grantToHandOn, type Problem } from "../../trial.ts";
import type { Connection, Query } from "./connection.ts";
import { refusalText } from "./failures.ts";
import { identifier, literal } from "./quoting.ts";
import { begin, firstFailure, STATEMENT_LIMITS } from "./transaction.ts";

/** Something that the administrator has to be able to do. */
interface Attempt {
  /** `make a user`. */
  readonly what: string;
  readonly sql: string;
}

/** Who is tried out: a user that never comes to be. */
export interface Probe {
  readonly username: string;
  /** As the server is to keep it. */
  readonly password: string;
  readonly expiration: string;
  /** A role's creation statements, filled in; empty: a plain login. */
  readonly statements: readonly string[];
  readonly administrator: string;
}

const BEGIN = begin(STATEMENT_LIMITS);
const ROLLBACK: Query = { text: "ROLLBACK" };
const INSUFFICIENT_PRIVILEGE = "42501";

/**
 * Does all that a user's life needs in a transaction that is rolled back, so that nothing is left however it ends. It is sent as a
 * whole; only where something is refused it is gone through step by step. The administrator's own password is left alone: everybody
 * may change his own, and no statement with it shall be in a log for having been tried.
 * @returns What the server refused; empty: all is well. @throws ConnectionLost.
 */
export async function tryOut(
  connection: Connection,
  probe: Probe,
  redactor: Redactor,
): Promise<readonly Problem[]> {
  const attempts = attemptsOf(probe);
  const steps = attempts.map(({ sql }) => ({ text: sql }));
  const failed = firstFailure(await connection.pipeline([BEGIN, ...steps, ROLLBACK]));
  if (failed === undefined) return [];
  if (failed.failure instanceof ConnectionLost) throw failed.failure;
  return oneByOne(connection, attempts, probe, redactor);
}

async function oneByOne(
  connection: Connection,
  attempts: readonly Attempt[],
  { username, administrator }: Probe,
  redactor: Redactor,
): Promise<readonly Problem[]> {
  await connection.query(BEGIN);
  try {
    const problems: Problem[] = [];
    for (const each of attempts) {
      const problem = await attempt(connection, each, administrator, redactor);
      if (problem !== null) problems.push(problem);
      // Without the user all that follows would fail as well, and say nothing.
      if (problem !== null && !(await exists(connection, username))) break;
    }
    return problems;
  } finally {
    await connection.pipeline([ROLLBACK]);
  }
}

function attemptsOf(probe: Probe): Attempt[] {
  const { username, password, expiration } = probe;
  const name = identifier(username);
  return [
    ...creationOf(probe),
    { what: "move a user's expiry", sql: `ALTER ROLE ${name} VALID UNTIL ${literal(expiration)}` },
    { what: "change a user's password", sql: `ALTER ROLE ${name} WITH PASSWORD ${literal(password)}` },
    { what: "take a user's logins away", sql: `ALTER ROLE ${name} NOLOGIN` },
    { what: "take a user's rights over", sql: `GRANT ${name} TO CURRENT_USER` },
    {
      what: "hand over what a user owns",
      sql: `REASSIGN OWNED BY ${name} TO CURRENT_USER; DROP OWNED BY ${name}`,
    },
    { what: "drop a user", sql: `DROP ROLE ${name}` },
  ];
}

function creationOf({ username, password, statements }: Probe): Attempt[] {
  if (statements.length === 0) {
    const sql = `CREATE ROLE ${identifier(username)} LOGIN PASSWORD ${literal(password)}`;
    return [{ what: "make a user", sql }];
  }
  return statements.map((sql, index) => ({
    what: `run creation statement ${index + 1} of ${statements.length}`,
    sql,
  }));
}

/** What grants the right to a statement that was refused. Undefined: it is not a matter of a grant, or not certain. */
function remedyOf({ serverCode, message }: StatementRefused, sql: string, self: string): string | undefined {
  if (serverCode !== INSUFFICIENT_PRIVILEGE) return undefined;
  if (message.includes("permission denied to create role")) return `ALTER ROLE ${self} CREATEROLE`;
  // The first is said by version 16 and later, the second before.
  const role = /(?:permission denied to grant role|must have admin option on role) "(.+)"/.exec(message)?.[1];
  if (role !== undefined) return `GRANT ${identifier(role)} TO ${self} WITH ADMIN OPTION`;
  return grantToHandOn(sql, self);
}

/** @returns What the server said against it; null: nothing. @throws ConnectionLost. */
async function attempt(
  connection: Connection,
  { what, sql }: Attempt,
  administrator: string,
  redactor: Redactor,
): Promise<Problem | null> {
  await connection.query({ text: "SAVEPOINT trial" });
  const [outcome] = await connection.pipeline([{ text: sql }]);
  const refusal = outcome?.failure;
  if (refusal === undefined) return null;
  if (!(refusal instanceof StatementRefused)) throw refusal;
  await connection.query({ text: "ROLLBACK TO SAVEPOINT trial" });
  const remedy = remedyOf(refusal, sql, identifier(administrator));
  return { what, words: refusalText(refusal, redactor), remedy };
}

async function exists(connection: Connection, username: string): Promise<boolean> {
  const rows = await connection.query({
    text: "SELECT 1 FROM pg_roles WHERE rolname = $1",
    values: [username],
  });
  return rows.length > 0;
}
