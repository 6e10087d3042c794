import { messageOf } from "../../../../base/errors.ts";
import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { ConnectionLost, StatementRefused } from "../../failures.ts";
import { DatabaseError, type DoomedUser } from "../../plugin.ts";
import type { Pool } from "../../pool.ts";
import { fillStatement, splitStatements } from "../../statements.ts";
import type { Connection } from "./connection.ts";
import { dropRoles, ROLES_PER_TRANSACTION_MAX } from "./drop-roles.ts";
import { asDatabaseError } from "./failures.ts";
import type { DropContext } from "./hand-over.ts";
import { identifier } from "./quoting.ts";
import { type DoomedRole, roleOf, rolesQuery } from "./roles.ts";
import { endSessions, sessionHolders } from "./sessions.ts";
import { begin, firstFailure, lockKey, rowsOf, runTransaction, WAIT_LIMITS } from "./transaction.ts";

const CHUNK_MS_MAX = 300_000;

/**
 * Makes users gone: by the role's own statements where there are any, else by the built-in plan, in chunks.
 * @returns One outcome for each user, in order.
 */
export async function revokeUsers(
  pool: Pool<Connection>,
  users: readonly DoomedUser[],
  context: DropContext,
): Promise<readonly RevokeOutcome[]> {
  const outcomes = new Map<string, RevokeOutcome>();
  const custom = users.filter(({ revocationStatements }) => hasStatements(revocationStatements));
  const isCustom = new Set(custom.map(({ username }) => username));
  const builtIn = [...new Set(users.map(({ username }) => username))].filter((name) => !isCustom.has(name));
  try {
    for (let start = 0; start < builtIn.length; start += ROLES_PER_TRANSACTION_MAX) {
      const names = builtIn.slice(start, start + ROLES_PER_TRANSACTION_MAX);
      await pool.use(CHUNK_MS_MAX, (connection) => dropRoles(connection, names, context, outcomes));
    }
    for (const user of custom) {
      const outcome = await pool.use(CHUNK_MS_MAX, (connection) => runCustom(connection, user, context));
      outcomes.set(user.username, outcome);
    }
  } catch (error) {
    // The database is out of reach: whoever has no outcome by now shares this one.
    const failure = asDatabaseError(error, "revoking", context.redactor);
    return users.map(({ username }) => outcomes.get(username) ?? (outcomes.has(username) ? null : failure));
  }
  return users.map(({ username }) => outcomes.get(username) ?? null);
}

function hasStatements(statements: readonly string[]): boolean {
  return splitStatements(statements, { keepBlocks: true }).length > 0;
}

/** @throws ConnectionLost, while doing it all again is harmless. */
async function runCustom(
  connection: Connection,
  user: DoomedUser,
  context: DropContext,
): Promise<RevokeOutcome> {
  const { username } = user;
  try {
    const role = await findRole(connection, username);
    if (role === undefined) return null;
    // Where the statements drop the role, only a superuser may end its sessions afterwards.
    await endSessionsOf(connection, role, context).catch(unlessRefused);
    const values = { name: username, username };
    const queries = splitStatements(user.revocationStatements, { keepBlocks: true });
    const filled = queries.map((query) => fillStatement(query, values));
    await runTransaction(connection, filled, context.redactor, username);
    if (await endSessionsOf(connection, role, context)) return null;
    return new DatabaseError("statement", `sessions of role ${identifier(username)} do not end`);
  } catch (error) {
    if (error instanceof ConnectionLost) throw error;
    const what = `revoking role ${identifier(username)}`;
    if (!(error instanceof DatabaseError)) return asDatabaseError(error, what, context.redactor);
    return new DatabaseError(error.kind, `${what}: ${messageOf(error)}`, { serverCode: error.serverCode });
  }
}

/** Ends the role's sessions, joining the role when that is needed for it. @returns Whether they are gone. */
async function endSessionsOf(
  connection: Connection,
  role: DoomedRole,
  context: DropContext,
): Promise<boolean> {
  const holders = await connection.query(sessionHolders([role.oid]));
  if (holders.length === 0) return true;
  if (role.join !== undefined) await connection.query({ text: role.join });
  return (await endSessions(connection, [role.oid], context.plugin.clock)).size === 0;
}

/** Looks for the role once a creation that is under way has ended. */
async function findRole(connection: Connection, username: string): Promise<DoomedRole | undefined> {
  const outcomes = await connection.pipeline([
    begin(WAIT_LIMITS),
    { text: `SELECT pg_advisory_xact_lock('${lockKey(username)}'::bigint)` },
    rolesQuery([username]),
    { text: "COMMIT" },
  ]);
  const failed = firstFailure(outcomes);
  if (failed !== undefined) throw failed.failure;
  const [row] = rowsOf(outcomes[2]);
  return row === undefined ? undefined : roleOf(row);
}

function unlessRefused(error: unknown): void {
  if (!(error instanceof StatementRefused)) throw error;
}
