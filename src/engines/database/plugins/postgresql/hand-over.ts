/** Taking from roles what they hold: their objects go to the administrator, their privileges and defaults away. */

import { messageOf } from "../../../../base/errors.ts";
import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { ConnectionLost, type Redactor, StatementRefused } from "../../failures.ts";
import { DatabaseError, type PluginContext } from "../../plugin.ts";
import { Connection } from "./connection.ts";
import { asDatabaseError } from "./failures.ts";
import { identifier, identifiers } from "./quoting.ts";
import type { PostgresSettings } from "./settings.ts";
import { begin, commit, firstFailure, type ServerLimits } from "./transaction.ts";

/** For handing over and dropping: a table that is in use is not waited for long, since the revocation is tried again. */
export const DROP_LIMITS: ServerLimits = { statementMsMax: 60_000, lockMsMax: 10_000 };
const OTHER_DATABASE_MS_MAX = 120_000;

/** What dropping roles needs beside a connection. */
export interface DropContext {
  readonly settings: PostgresSettings;
  readonly plugin: PluginContext;
  readonly redactor: Redactor;
}

/** The failure to drop one role, as its outcome. */
export function failure(name: string, reason: string, cause?: unknown): DatabaseError {
  const kind = cause instanceof DatabaseError ? cause.kind : "statement";
  const serverCode =
    cause instanceof DatabaseError || cause instanceof StatementRefused ? cause.serverCode : undefined;
  return new DatabaseError(kind, `dropping role ${identifier(name)} failed: ${reason}`, { serverCode });
}

/** The statements that take everything in one database (and what all share) from these roles. */
export function handOver(names: readonly string[]): string {
  const list = identifiers(names);
  return `REASSIGN OWNED BY ${list} TO CURRENT_USER; DROP OWNED BY ${list}`;
}

/** Does so in another database, over a connection of its own. What goes wrong there concerns only the roles that hold something there. */
export async function cleanElsewhere(
  database: string,
  names: readonly string[],
  context: DropContext,
  outcomes: Map<string, RevokeOutcome>,
): Promise<void> {
  let connection: Connection | undefined;
  try {
    connection = await Connection.open(context.settings, OTHER_DATABASE_MS_MAX, { database });
    await cleanOrHalve(connection, database, names, context, outcomes);
  } catch (error) {
    const text = `cleaning up in database ${identifier(database)} failed: ${messageOf(error)}`;
    const clean = context.redactor.text(text);
    for (const name of names) if (!outcomes.has(name)) outcomes.set(name, failure(name, clean, error));
  } finally {
    await connection?.close();
  }
}

async function cleanOrHalve(
  connection: Connection,
  database: string,
  names: readonly string[],
  context: DropContext,
  outcomes: Map<string, RevokeOutcome>,
): Promise<void> {
  const tried = await connection.pipeline([begin(DROP_LIMITS), { text: handOver(names) }]);
  const failed = firstFailure(tried);
  if (failed === undefined) return commit(connection, context.redactor);
  if (failed.failure instanceof ConnectionLost) throw failed.failure;
  await connection.pipeline([{ text: "ROLLBACK" }]);
  const [only] = names;
  if (names.length === 1 && only !== undefined) {
    const what = `dropping role ${identifier(only)}: cleaning up in database ${identifier(database)}`;
    outcomes.set(only, asDatabaseError(failed.failure, what, context.redactor));
    return;
  }
  const middle = Math.ceil(names.length / 2);
  await cleanOrHalve(connection, database, names.slice(0, middle), context, outcomes);
  await cleanOrHalve(connection, database, names.slice(middle), context, outcomes);
}
