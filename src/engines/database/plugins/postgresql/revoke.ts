import { messageOf } from "../../../../base/errors.ts";
import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { ConnectionLost, StatementRefused } from "../../failures.ts";
import { DatabaseError, type DoomedUser } from "../../plugin.ts";
import type { Pool } from "../../pool.ts";
import { revokeInBatches } from "../../revoke-in-batches.ts";
import { fillStatement, splitStatements } from "../../statements.ts";
import type { Connection } from "./connection.ts";
import { dropRoles, ROLES_PER_TRANSACTION_MAX } from "./drop-roles.ts";
import { asDatabaseError } from "./failures.ts";
import type { DropContext } from "./hand-over.ts";
import { identifier } from "./quoting.ts";
import { type DoomedRole, roleOf, rolesQuery } from "./roles.ts";
import { awaitSessions, endSessions, sessionHolders } from "./sessions.ts";
import { begin, firstFailure, lockKey, rowsOf, runTransaction, WAIT_LIMITS } from "./transaction.ts";

const CHUNK_MS_MAX = 300_000;

/**
 * Makes users gone.
 * @returns One outcome for each user, in order.
 */
export function revokeUsers(
  pool: Pool<Connection>,
  users: readonly DoomedUser[],
  context: DropContext,
): Promise<readonly RevokeOutcome[]> {
  return revokeInBatches(users, {
    batchMax: ROLES_PER_TRANSACTION_MAX,
    isCustom: ({ revocationStatements }) =>
      splitStatements(revocationStatements, { keepBlocks: true }).length > 0,
    dropBatch: (names, outcomes) =>
      pool.use(CHUNK_MS_MAX, (connection) => dropRoles(connection, names, context, outcomes)),
    runCustom: (user) => pool.use(CHUNK_MS_MAX, (connection) => runCustom(connection, user, context)),
    failure: (error) => asDatabaseError(error, "revoking", context.redactor),
  });
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
  await awaitSessions(connection, [role.oid], context.plugin.clock, context.graceUntilMs);
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
