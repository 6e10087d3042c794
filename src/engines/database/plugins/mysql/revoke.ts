import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { ConnectionLost } from "../../failures.ts";
import { DatabaseError, type DoomedUser } from "../../plugin.ts";
import type { Pool } from "../../pool.ts";
import { fillStatement, splitStatements } from "../../statements.ts";
import { findAccounts } from "./accounts.ts";
import { runChange } from "./change.ts";
import type { Connection } from "./connection.ts";
import { type DropContext, dropUsers, lockUsers, USERS_PER_BATCH_MAX, unlockUsers } from "./drop-users.ts";
import { asDatabaseError } from "./failures.ts";
import { endSessions } from "./sessions.ts";

const BATCH_MS_MAX = 300_000;
const CREATION_SECONDS_MAX = 50;

/**
 * Makes users gone: by the role's own statements where there are any, else by the built-in plan, in batches.
 * @returns One outcome for each user, in order.
 */
export async function revokeUsers(
  pool: Pool<Connection>,
  users: readonly DoomedUser[],
  context: DropContext,
): Promise<readonly RevokeOutcome[]> {
  const outcomes = new Map<string, RevokeOutcome>();
  const custom = users.filter(({ revocationStatements }) => splitStatements(revocationStatements).length > 0);
  const isCustom = new Set(custom.map(({ username }) => username));
  const builtIn = [...new Set(users.map(({ username }) => username))].filter((name) => !isCustom.has(name));
  try {
    for (let start = 0; start < builtIn.length; start += USERS_PER_BATCH_MAX) {
      const names = builtIn.slice(start, start + USERS_PER_BATCH_MAX);
      await pool.use(BATCH_MS_MAX, (connection) => dropUsers(connection, names, context, outcomes));
    }
    for (const user of custom) {
      const outcome = await pool.use(BATCH_MS_MAX, (connection) => runCustom(connection, user, context));
      outcomes.set(user.username, outcome);
    }
  } catch (error) {
    // The database is out of reach: whoever has no outcome by now shares this one.
    const failure = asDatabaseError(error, "revoking", context.redactor);
    return users.map(({ username }) => outcomes.get(username) ?? (outcomes.has(username) ? null : failure));
  }
  return users.map(({ username }) => outcomes.get(username) ?? null);
}

/** @throws ConnectionLost, while doing it all again is harmless. */
async function runCustom(
  connection: Connection,
  user: DoomedUser,
  { plugin, redactor }: DropContext,
): Promise<RevokeOutcome> {
  const { username } = user;
  try {
    const { busy } = await lockUsers(connection, [username], CREATION_SECONDS_MAX);
    await unlockUsers(connection, [username]);
    if (busy.length > 0)
      return new DatabaseError("statement", `user "${username}": its creation is under way`);
    if ((await findAccounts(connection, [username])).length > 0) {
      const values = { name: username, username };
      const statements = splitStatements(user.revocationStatements).map((each) =>
        fillStatement(each, values),
      );
      await runChange(connection, { username, statements, redactor });
    }
    const open = await endSessions(connection, [username], plugin.clock);
    return open.size === 0 ? null : new DatabaseError("statement", `sessions of "${username}" do not end`);
  } catch (error) {
    if (error instanceof ConnectionLost) throw error;
    const failure = asDatabaseError(error, `revoking user "${username}"`, redactor);
    const text = failure.message.startsWith("revoking") ? "" : `revoking user "${username}": `;
    return new DatabaseError(failure.kind, text + failure.message, { serverCode: failure.serverCode });
  }
}
