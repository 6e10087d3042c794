import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { ConnectionLost } from "../../failures.ts";
import { DatabaseError, type DoomedUser } from "../../plugin.ts";
import type { Pool } from "../../pool.ts";
import { revokeInBatches } from "../../revoke-in-batches.ts";
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
 * Makes users gone.
 * @returns One outcome for each user, in order.
 */
export function revokeUsers(
  pool: Pool<Connection>,
  users: readonly DoomedUser[],
  context: DropContext,
): Promise<readonly RevokeOutcome[]> {
  return revokeInBatches(users, {
    batchMax: USERS_PER_BATCH_MAX,
    isCustom: ({ revocationStatements }) => splitStatements(revocationStatements).length > 0,
    dropBatch: (names, outcomes) =>
      pool.use(BATCH_MS_MAX, (connection) => dropUsers(connection, names, context, outcomes)),
    runCustom: (user) => pool.use(BATCH_MS_MAX, (connection) => runCustom(connection, user, context)),
    failure: (error) => asDatabaseError(error, "revoking", context.redactor),
  });
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
    return failure.inWords(text + failure.message);
  }
}
