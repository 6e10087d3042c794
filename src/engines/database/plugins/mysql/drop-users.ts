/**
 * The built-in way to make users gone, many at once:
 *
 * 1. Wait for a creation of the same names (a lock by name), and look which accounts they have, for whatever host.
 * 2. Drop the accounts, in one statement: from then on nobody logs in as one of them. Where the server refuses to drop one,
 *    its login is locked instead.
 * 3. End the sessions, which dropping leaves open, and wait until they are gone. Look that the accounts are.
 *
 * A refusal of a statement about many accounts does not say whose it is, so the set is halved until it is about one.
 */

import { messageOf } from "../../../../base/errors.ts";
import { failpoint } from "../../../../base/failpoint.ts";
import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { ConnectionLost, type Redactor, StatementRefused } from "../../failures.ts";
import { DatabaseError, type PluginContext } from "../../plugin.ts";
import { accountsQuery, findAccounts } from "./accounts.ts";
import type { Connection } from "./connection.ts";
import { asDatabaseError } from "./failures.ts";
import { type Account, accountName, lockName } from "./quoting.ts";
import { endSessions } from "./sessions.ts";

/** The most users of one statement. */
export const USERS_PER_BATCH_MAX = 500;

/** For waiting until a creation is over, which is given 45 seconds in all. */
const LOCK_SECONDS_MAX = 50;

/** What dropping users needs beside a connection. */
export interface DropContext {
  readonly plugin: PluginContext;
  readonly redactor: Redactor;
  /** Whom this plugin is logged in as, and must not drop. */
  readonly administrator: string;
}

type Outcomes = Map<string, RevokeOutcome>;

/** The failure to drop one user, as its outcome. */
export function dropFailure(name: string, reason: string, serverCode?: string): DatabaseError {
  return new DatabaseError("statement", `dropping user "${name}" failed: ${reason}`, { serverCode });
}

/**
 * Drops users over one connection.
 * @param names - At most {@link USERS_PER_BATCH_MAX}, each once.
 * @param outcomes - Filled with one outcome for each name.
 * @throws ConnectionLost; names without an outcome were not dealt with. Doing it again is harmless.
 */
export async function dropUsers(
  connection: Connection,
  names: readonly string[],
  context: DropContext,
  outcomes: Outcomes,
): Promise<void> {
  const { free, busy } = await lockUsers(connection, names, 0);
  await dropLocked(connection, free, context, outcomes);
  // A creation is under way on the server for these; each is waited for on its own, so that no other name waits with it.
  for (const name of busy) {
    const waited = await lockUsers(connection, [name], LOCK_SECONDS_MAX);
    await dropLocked(connection, waited.free, context, outcomes);
    if (waited.busy.length > 0) outcomes.set(name, dropFailure(name, "its creation is still under way"));
  }
}

/** Takes the locks of all these names that nobody else has within the time. */
export async function lockUsers(
  connection: Connection,
  names: readonly string[],
  seconds: number,
): Promise<{ readonly free: readonly string[]; readonly busy: readonly string[] }> {
  const each = names.map((name) => `IFNULL(GET_LOCK(${lockName(name)}, ${seconds}), 0)`);
  try {
    const [rows] = await connection.query(`SELECT CONCAT('', ${each.join(", ")}) AS locked`);
    const locked = String(rows?.[0]?.locked);
    const isFree = (_: string, index: number): boolean => locked[index] === "1";
    return { free: names.filter(isFree), busy: names.filter((name, index) => !isFree(name, index)) };
  } catch (error) {
    // Clusters that know no locks by name: what a creation makes after this is met by the core's second look.
    if (!(error instanceof StatementRefused)) throw error;
    return { free: names, busy: [] };
  }
}

export async function unlockUsers(connection: Connection, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const each = names.map((name) => `RELEASE_LOCK(${lockName(name)})`);
  try {
    await connection.query(`DO ${each.join(", ")}`);
  } catch (error) {
    if (!(error instanceof StatementRefused)) throw error;
  }
}

async function dropLocked(
  connection: Connection,
  names: readonly string[],
  context: DropContext,
  outcomes: Outcomes,
): Promise<void> {
  const own = names.filter((name) => name === context.administrator);
  for (const name of own) outcomes.set(name, dropFailure(name, "it is the administrator of this connection"));
  const others = names.filter((name) => name !== context.administrator);
  try {
    if (others.length > 0) await dropAndVerify(connection, others, context, outcomes);
  } catch (error) {
    if (error instanceof ConnectionLost) throw error;
    const failure = asDatabaseError(error, "looking for the users", context.redactor);
    for (const name of others) {
      if (!outcomes.has(name)) outcomes.set(name, dropFailure(name, failure.message, failure.serverCode));
    }
  }
  await unlockUsers(connection, names);
}

async function dropAndVerify(
  connection: Connection,
  names: readonly string[],
  context: DropContext,
  outcomes: Outcomes,
): Promise<void> {
  const accounts = await findAccounts(connection, names);
  const refusals = new Map<string, DatabaseError>();
  await dropOrHalve(connection, accounts, context, refusals);
  failpoint("drop-users:dropped");
  const sessions = await endedOrWhy(connection, names, context);
  failpoint("drop-users:sessions-ended");
  const [rows = []] = await connection.query(accountsQuery(names));
  const left = new Set(rows.map(({ user }) => String(user)));
  for (const name of names) {
    const isLeft = left.has(name) ? dropFailure(name, "the user is still there") : null;
    outcomes.set(name, (left.has(name) ? refusals.get(name) : undefined) ?? isLeft ?? sessions(name));
  }
}

/** Ends the sessions. @returns What stands in the way of each user's end, on that account. */
async function endedOrWhy(
  connection: Connection,
  names: readonly string[],
  { plugin, redactor }: DropContext,
): Promise<(name: string) => RevokeOutcome> {
  try {
    const open = await endSessions(connection, names, plugin.clock);
    return (name) => (open.has(name) ? dropFailure(name, "its sessions do not end") : null);
  } catch (error) {
    if (error instanceof ConnectionLost) throw error;
    const failure = asDatabaseError(error, "ending sessions", redactor);
    return (name) => dropFailure(name, messageOf(failure), failure.serverCode);
  }
}

async function dropOrHalve(
  connection: Connection,
  accounts: readonly Account[],
  context: DropContext,
  refusals: Map<string, DatabaseError>,
): Promise<void> {
  const [only] = accounts;
  if (only === undefined) return;
  try {
    await connection.query(`DROP USER ${accounts.map(accountName).join(", ")}`);
  } catch (error) {
    if (!(error instanceof StatementRefused)) throw error;
    if (accounts.length === 1) {
      refusals.set(only.user, asDatabaseError(error, `dropping user "${only.user}"`, context.redactor));
      return lockLogin(connection, only);
    }
    // Some servers drop those that they can, others none.
    const left = await findAccounts(connection, [...new Set(accounts.map(({ user }) => user))]);
    const middle = Math.ceil(left.length / 2);
    await dropOrHalve(connection, left.slice(0, middle), context, refusals);
    await dropOrHalve(connection, left.slice(middle), context, refusals);
  }
}

/** Takes the login away, as far as the server lets itself be told: the refusal to drop is what is reported. */
async function lockLogin(connection: Connection, account: Account): Promise<void> {
  try {
    await connection.query(`ALTER USER ${accountName(account)} ACCOUNT LOCK`);
  } catch (error) {
    if (!(error instanceof StatementRefused)) throw error;
  }
}
