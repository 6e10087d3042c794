/**
 * The built-in way to make roles gone, many at once:
 *
 * 1. One transaction: wait for a creation of the same names (advisory lock), then take the logins away. It is not flushed:
 *    the last step's commit is.
 * 2. See which roles have sessions or hold something. Those the administrator joins where it is not a superuser, since
 *    without that it may neither end their sessions nor touch their objects. (Only those: joining many roles is slow.) End
 *    the sessions, and wait until they are gone. From here on nothing can be added to the roles.
 * 3. In each other database where a role holds something: hand its objects to the administrator, drop its privileges.
 * 4. One transaction: the same in this database, then drop the roles. Afterwards look that roles and sessions are gone.
 *
 * A refusal of a statement about many roles does not say whose it is, so the set is halved until it is about one.
 */

import { failpoint } from "../../../../base/failpoint.ts";
import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { ConnectionLost, type Redactor, StatementRefused } from "../../failures.ts";
import { DatabaseError } from "../../plugin.ts";
import type { Connection, Row } from "./connection.ts";
import { asDatabaseError } from "./failures.ts";
import { cleanElsewhere, DROP_LIMITS, type DropContext, failure, handOver } from "./hand-over.ts";
import { identifier, identifiers } from "./quoting.ts";
import { type DoomedRole, roleOf, rolesQuery } from "./roles.ts";
import { endSessions, sessionHolders } from "./sessions.ts";
import { begin, commit, firstFailure, lockKey, rowsOf, WAIT_LIMITS } from "./transaction.ts";

/** The most roles of one transaction; PostgreSQL runs out of memory for locks at some 8,000. */
export const ROLES_PER_TRANSACTION_MAX = 500;

/** An internal error by its class; of a role it says "tuple concurrently updated" or "deleted". */
const CONCURRENTLY_UPDATED = "XX000";
const OVERTAKEN_ROUNDS_MAX = 3;

/** Who holds what, once the sessions are gone. */
interface Holdings {
  /** Something in this database, or shared by all. */
  readonly here: Set<string>;
  readonly elsewhere: Map<string, Set<string>>;
}

const HOLDINGS_QUERY = `
SELECT DISTINCT d.refobjid::int8::float8 AS oid, b.datname::text AS database,
  d.dbid = 0 OR b.datname = current_database() AS is_here
FROM pg_shdepend d LEFT JOIN pg_database b ON b.oid = d.dbid
WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = ANY($1::oid[]) AND (d.dbid = 0 OR b.oid IS NOT NULL)`;

const ROLES_LEFT_QUERY = "SELECT rolname::text AS name FROM pg_roles WHERE rolname = ANY($1::text[])";

/**
 * Drops roles over one connection.
 * @param names - At most {@link ROLES_PER_TRANSACTION_MAX}, each once.
 * @param outcomes - Filled with one outcome for each name.
 * @throws ConnectionLost; names without an outcome were not dealt with. Doing it again is harmless.
 */
export async function dropRoles(
  connection: Connection,
  names: readonly string[],
  context: DropContext,
  outcomes: Map<string, RevokeOutcome>,
): Promise<void> {
  const busy: string[] = [];
  await dropOrHalve(connection, names, context, outcomes, busy);
  // A creation is under way on the server for these; each is waited for on its own, so that no other name waits with it.
  for (const name of busy) await dropOrHalve(connection, [name], context, outcomes, []);
  for (let round = 1; round <= OVERTAKEN_ROUNDS_MAX; round += 1) {
    for (const name of names.filter((each) => isOvertaken(outcomes.get(each)))) {
      outcomes.delete(name);
      await dropOrHalve(connection, [name], context, outcomes, []);
    }
  }
}

/** Whether somebody else changed the role at the same moment (a renewal that was under way, say): soon that is over. */
function isOvertaken(outcome: RevokeOutcome | undefined): boolean {
  return outcome instanceof DatabaseError && outcome.serverCode === CONCURRENTLY_UPDATED;
}

async function dropOrHalve(
  connection: Connection,
  names: readonly string[],
  context: DropContext,
  outcomes: Map<string, RevokeOutcome>,
  busy: string[],
): Promise<void> {
  try {
    await dropSet(connection, names, context, outcomes, busy);
  } catch (error) {
    if (error instanceof ConnectionLost) throw error;
    const [only] = names;
    if (names.length === 1 && only !== undefined) {
      // Another process that dropped the role in the meantime is the most likely reason.
      const left = await connection.query({ text: ROLES_LEFT_QUERY, values: [names] });
      const refusal = asDatabaseError(error, `dropping role ${identifier(only)}`, context.redactor);
      outcomes.set(only, left.length === 0 ? null : refusal);
      return;
    }
    // Outcomes of this attempt stand; the rest is tried again in halves.
    const rest = names.filter((name) => !outcomes.has(name) && !busy.includes(name));
    const middle = Math.ceil(rest.length / 2);
    for (const half of [rest.slice(0, middle), rest.slice(middle)]) {
      if (half.length > 0) await dropOrHalve(connection, half, context, outcomes, busy);
    }
  }
}

async function dropSet(
  connection: Connection,
  names: readonly string[],
  context: DropContext,
  outcomes: Map<string, RevokeOutcome>,
  busy: string[],
): Promise<void> {
  const locked = await disableLogins(connection, names, context.redactor);
  failpoint("drop-roles:logins-disabled");
  busy.push(...locked.busy);
  const present = new Set(locked.roles.map(({ name }) => name));
  const isBusy = new Set(locked.busy);
  for (const name of names) if (!present.has(name) && !isBusy.has(name)) outcomes.set(name, null);
  for (const { name, isSelf } of locked.roles) {
    if (isSelf) outcomes.set(name, failure(name, "it is the administrator of this connection"));
  }
  const roles = locked.roles.filter(({ isSelf }) => !isSelf);
  if (roles.length === 0) return;

  const holdings = await quieten(connection, roles, context, outcomes);
  failpoint("drop-roles:sessions-ended");
  for (const [database, holders] of holdings.elsewhere) {
    const holding = [...holders].filter((name) => !outcomes.has(name));
    if (holding.length > 0) await cleanElsewhere(database, holding, context, outcomes);
    failpoint("drop-roles:elsewhere-cleaned");
  }
  const ready = roles.filter(({ name }) => !outcomes.has(name));
  if (ready.length > 0) await dropReady(connection, ready, holdings.here, context, outcomes);
}

/** Step 1. With several names, one that is locked is set aside instead of waited for. */
async function disableLogins(
  connection: Connection,
  names: readonly string[],
  redactor: Redactor,
): Promise<{ readonly roles: DoomedRole[]; readonly busy: string[] }> {
  const tried = await connection.pipeline([begin(WAIT_LIMITS, false), lockQuery(names), rolesQuery(names)]);
  const failed = firstFailure(tried);
  if (failed !== undefined) return rollBack(connection, failed.failure);
  const busy = rowsOf(tried[1])
    .filter(({ locked }) => locked === false)
    .map(({ name }) => String(name));
  const rows = rowsOf(tried[2]).filter(({ name }) => !busy.includes(String(name)));
  const statements = rows
    .filter(({ can_login, is_self }) => can_login === true && is_self !== true)
    .map(({ name }) => `ALTER ROLE ${identifier(String(name))} NOLOGIN`);
  if (statements.length > 0) {
    const [outcome] = await connection.pipeline([{ text: statements.join("; ") }]);
    if (outcome?.failure !== undefined) return rollBack(connection, outcome.failure);
  }
  await commit(connection, redactor).catch(retryable);
  return { roles: rows.map(roleOf), busy };
}

/** Step 2. */
async function quieten(
  connection: Connection,
  roles: readonly DoomedRole[],
  context: DropContext,
  outcomes: Map<string, RevokeOutcome>,
): Promise<Holdings> {
  const oids = roles.map(({ oid }) => oid);
  const holdingsQuery = { text: HOLDINGS_QUERY, values: [oids] };
  const looked = await connection.pipeline([sessionHolders(oids), holdingsQuery]);
  const failed = firstFailure(looked);
  if (failed !== undefined) throw failed.failure;
  const active = rowsOf(looked[0]).map(({ oid }) => Number(oid));
  const involved = new Set([...active, ...rowsOf(looked[1]).map(({ oid }) => Number(oid))]);
  const joins = roles.flatMap(({ oid, join }) => (involved.has(oid) && join !== undefined ? [join] : []));
  if (joins.length > 0) await connection.query({ text: joins.join("; ") });
  if (active.length === 0) return readHoldings(roles, rowsOf(looked[1]));
  const remaining = await endSessions(connection, active, context.plugin.clock);
  for (const { name, oid } of roles) {
    if (remaining.has(oid)) outcomes.set(name, failure(name, "its sessions do not end"));
  }
  // What a session did until its end counts too.
  const rows = await connection.query(holdingsQuery);
  return readHoldings(roles, rows);
}

function lockQuery(names: readonly string[]) {
  const [only] = names;
  if (names.length === 1 && only !== undefined) {
    return { text: `SELECT pg_advisory_xact_lock('${lockKey(only)}'::bigint)` };
  }
  return {
    text:
      "SELECT name, pg_try_advisory_xact_lock(key) AS locked " +
      "FROM unnest($1::text[], $2::bigint[]) AS wanted(name, key)",
    values: [names, names.map(lockKey)],
  };
}

/** A commit whose answer is lost is a lost connection here: the step can be done again. */
function retryable(error: unknown): never {
  if (error instanceof DatabaseError && error.kind === "ambiguous") throw new ConnectionLost(error.message);
  throw error;
}

async function rollBack(connection: Connection, failureSeen: Error): Promise<never> {
  if (!(failureSeen instanceof ConnectionLost)) await connection.pipeline([{ text: "ROLLBACK" }]);
  throw failureSeen;
}

function readHoldings(roles: readonly DoomedRole[], rows: readonly Row[]): Holdings {
  const nameOf = new Map(roles.map(({ name, oid }) => [oid, name]));
  const here = new Set<string>();
  const elsewhere = new Map<string, Set<string>>();
  for (const row of rows) {
    const name = nameOf.get(Number(row.oid));
    if (name === undefined) continue;
    if (row.is_here === true) {
      here.add(name);
    } else {
      const database = String(row.database);
      const holders = elsewhere.get(database) ?? new Set();
      elsewhere.set(database, holders.add(name));
    }
  }
  return { here, elsewhere };
}

/** Step 4. */
async function dropReady(
  connection: Connection,
  roles: readonly DoomedRole[],
  holdersHere: ReadonlySet<string>,
  context: DropContext,
  outcomes: Map<string, RevokeOutcome>,
): Promise<void> {
  const names = roles.map(({ name }) => name);
  const holders = names.filter((name) => holdersHere.has(name));
  const tried = await connection.pipeline([
    begin(DROP_LIMITS),
    ...(holders.length === 0 ? [] : [{ text: handOver(holders) }]),
    { text: `DROP ROLE IF EXISTS ${identifiers(names)}` },
  ]);
  const failed = firstFailure(tried);
  if (failed !== undefined) return rollBack(connection, failed.failure);
  await commit(connection, context.redactor).catch(retryable);
  failpoint("drop-roles:dropped");
  await verifyGone(connection, roles, context, outcomes);
}

async function verifyGone(
  connection: Connection,
  roles: readonly DoomedRole[],
  context: DropContext,
  outcomes: Map<string, RevokeOutcome>,
): Promise<void> {
  const oids = roles.map(({ oid }) => oid);
  const looked = await connection.pipeline([
    { text: ROLES_LEFT_QUERY, values: [roles.map(({ name }) => name)] },
    sessionHolders(oids),
  ]);
  const failed = firstFailure(looked);
  if (failed !== undefined) throw failed.failure;
  const left = new Set(rowsOf(looked[0]).map(({ name }) => String(name)));
  const active = rowsOf(looked[1]).map(({ oid }) => Number(oid));
  // A login that was being let in while it was taken away; a superuser can still end its session.
  const isEnded = active.length === 0 || (await areEnded(connection, active, context));
  for (const { name, oid } of roles) {
    const isLeft = left.has(name) || (!isEnded && active.includes(oid));
    outcomes.set(name, isLeft ? failure(name, "the role or a session of it is still there") : null);
  }
}

async function areEnded(
  connection: Connection,
  oids: readonly number[],
  context: DropContext,
): Promise<boolean> {
  try {
    return (await endSessions(connection, oids, context.plugin.clock)).size === 0;
  } catch (error) {
    if (error instanceof StatementRefused) return false;
    throw error;
  }
}
