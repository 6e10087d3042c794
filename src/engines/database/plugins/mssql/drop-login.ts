import { messageOf } from "../../../../base/errors.ts";
import { StatementRefused } from "../../failures.ts";
import { DatabaseError } from "../../plugin.ts";
import { identifier, literal, type Session } from "./connection.ts";

/** The session has ended by itself meanwhile. */
const NOT_A_SESSION = "6106";

/**
 * The built-in plan for a login of the server: disabled, its sessions ended, its users dropped in every database, and itself.
 * Every step is tried whatever becomes of the others.
 * @throws DatabaseError `statement` naming what failed, or that it is still there; ConnectionLost.
 * @see reference: engines.md section 1.9.4.
 */
export async function dropLogin(session: Session, username: string): Promise<void> {
  const steps = new Steps();
  if (await hasLogin(session, username)) {
    await steps.attempt("disabling the login", () =>
      session.query(`ALTER LOGIN ${identifier(username)} DISABLE`),
    );
  }
  await steps.attempt("ending its sessions", () => endSessions(session, username));
  for (const database of await databasesWith(session, username, steps)) {
    await steps.attempt(`dropping its user in ${database}`, () =>
      session.query(
        `EXEC ${identifier(database)}.sys.sp_executesql N${literal(`DROP USER ${identifier(username)}`)}`,
      ),
    );
  }
  if (await hasLogin(session, username)) {
    await steps.attempt("dropping the login", () => session.query(`DROP LOGIN ${identifier(username)}`));
  }
  steps.requireNoFailure();
  if (await hasLogin(session, username))
    throw new DatabaseError("statement", `login "${username}" is still there`);
}

/** The built-in plan for a user of a contained database: its sessions ended, and itself dropped. */
export async function dropContainedUser(session: Session, username: string): Promise<void> {
  const steps = new Steps();
  const name = identifier(username);
  // Otherwise it could log in again between the two steps.
  if (await hasUser(session, username)) {
    await steps.attempt("denying it to connect", () => session.query(`DENY CONNECT TO ${name}`));
  }
  await steps.attempt("ending its sessions", () => endSessions(session, username));
  await steps.attempt("dropping the user", () => session.query(`DROP USER IF EXISTS ${name}`));
  steps.requireNoFailure();
  if (await hasUser(session, username))
    throw new DatabaseError("statement", `user "${username}" is still there`);
}

/** Whether there is a login of that name, or in a contained database a user. */
export async function isThere(session: Session, username: string, isContained: boolean): Promise<boolean> {
  return isContained ? hasUser(session, username) : hasLogin(session, username);
}

async function hasLogin(session: Session, username: string): Promise<boolean> {
  const text = "SELECT name FROM master.sys.server_principals WHERE name = @name";
  return (await session.query(text, { name: username })).length > 0;
}

async function hasUser(session: Session, username: string): Promise<boolean> {
  const text = "SELECT name FROM sys.database_principals WHERE name = @name";
  return (await session.query(text, { name: username })).length > 0;
}

/** Ends the sessions of a login or a contained user, under whatever name they go now. */
export async function endSessions(session: Session, username: string): Promise<void> {
  const text =
    "SELECT session_id FROM sys.dm_exec_sessions " +
    "WHERE (login_name = @name OR original_login_name = @name) AND session_id <> @@SPID";
  for (const { session_id } of await session.query(text, { name: username })) {
    try {
      await session.query(`KILL ${Number(session_id)}`);
    } catch (error) {
      if (!(error instanceof StatementRefused) || error.serverCode !== NOT_A_SESSION) throw error;
    }
  }
}

/** The databases in which the login has a user by its name. */
async function databasesWith(session: Session, username: string, steps: Steps): Promise<readonly string[]> {
  const online =
    "SELECT name FROM sys.databases WHERE state = 0 AND is_read_only = 0 AND HAS_DBACCESS(name) = 1";
  const found: string[] = [];
  for (const { name } of await session.query(online)) {
    const database = String(name);
    const text = `SELECT name FROM ${identifier(database)}.sys.database_principals WHERE name = @name`;
    await steps.attempt(`looking into ${database}`, async () => {
      if ((await session.query(text, { name: username })).length > 0) found.push(database);
    });
  }
  return found;
}

/** Steps that do not stop at each other's failures. */
class Steps {
  readonly #failures: string[] = [];

  async attempt(what: string, step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof StatementRefused)) throw error;
      this.#failures.push(`${what}: ${messageOf(error)} (error ${error.serverCode})`);
    }
  }

  requireNoFailure(): void {
    if (this.#failures.length === 0) return;
    throw new DatabaseError(
      "statement",
      `could not perform all sql statements: ${this.#failures.join("; ")}`,
    );
  }
}
