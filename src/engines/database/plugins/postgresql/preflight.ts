import type { Redactor } from "../../failures.ts";
import type { Connection } from "./connection.ts";
import { asDatabaseError } from "./failures.ts";
import { identifier, literal } from "./quoting.ts";
import { begin, STATEMENT_LIMITS } from "./transaction.ts";

/** Something that the administrator has to be able to do. */
interface Trial {
  /** `creating a user`. */
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
  /** The administrator's name, and its password as the server is to keep it; null where there is none to rotate. */
  readonly admin: { readonly username: string; readonly password: string } | null;
}

/**
 * Does all that a user's life needs in a transaction that is rolled back, so that nothing is left however it ends.
 * @returns A sentence for each thing that the server refused; empty: all is well. @throws ConnectionLost.
 */
export async function tryOut(
  connection: Connection,
  probe: Probe,
  redactor: Redactor,
): Promise<readonly string[]> {
  await connection.query(begin(STATEMENT_LIMITS));
  try {
    const problems: string[] = [];
    for (const { what, sql } of trialsOf(probe)) {
      const problem = await attempt(connection, what, sql, redactor);
      if (problem !== null) problems.push(problem);
      // Without the user all that follows would fail as well, and say nothing.
      if (problem !== null && !(await exists(connection, probe.username))) break;
    }
    return problems;
  } finally {
    await connection.pipeline([{ text: "ROLLBACK" }]);
  }
}

function trialsOf({ username, password, expiration, statements, admin }: Probe): Trial[] {
  const name = identifier(username);
  const count = statements.length;
  const create: Trial[] =
    count > 0
      ? statements.map((sql, index) => ({ what: `creation statement ${index + 1} of ${count}`, sql }))
      : [{ what: "creating a user", sql: `CREATE ROLE ${name} LOGIN PASSWORD ${literal(password)}` }];
  const rotate: Trial[] =
    admin === null
      ? []
      : [
          {
            what: "changing the administrator's own password",
            sql: `ALTER ROLE ${identifier(admin.username)} WITH PASSWORD ${literal(admin.password)}`,
          },
        ];
  return [
    ...create,
    {
      what: "moving a user's expiry",
      sql: `ALTER ROLE ${name} VALID UNTIL ${literal(expiration)}`,
    },
    { what: "changing a user's password", sql: `ALTER ROLE ${name} WITH PASSWORD ${literal(password)}` },
    { what: "taking a user's logins away", sql: `ALTER ROLE ${name} NOLOGIN` },
    { what: "taking a user's rights over", sql: `GRANT ${name} TO CURRENT_USER` },
    {
      what: "handing over what a user owns",
      sql: `REASSIGN OWNED BY ${name} TO CURRENT_USER; DROP OWNED BY ${name}`,
    },
    { what: "dropping a user", sql: `DROP ROLE ${name}` },
    ...rotate,
  ];
}

/** @returns What the server said against it; null: nothing. */
async function attempt(
  connection: Connection,
  what: string,
  sql: string,
  redactor: Redactor,
): Promise<string | null> {
  await connection.query({ text: "SAVEPOINT trial" });
  const [outcome] = await connection.pipeline([{ text: sql }]);
  if (outcome?.failure === undefined) return null;
  const { message } = asDatabaseError(outcome.failure, what, redactor);
  await connection.query({ text: "ROLLBACK TO SAVEPOINT trial" });
  return message;
}

async function exists(connection: Connection, username: string): Promise<boolean> {
  const rows = await connection.query({
    text: "SELECT 1 FROM pg_roles WHERE rolname = $1",
    values: [username],
  });
  return rows.length > 0;
}
