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
 * Of a quiet batch the server says one row, and it takes three round trips, since all that is sent and read costs the one
 * thread of a command that drops many. So a commit is sent together with what comes before and after it.
 *
 * A refusal of a statement about many roles does not say whose it is, so the set is halved until it is about one.
 */

import { failpoint } from "../../../../base/failpoint.ts";
import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { ConnectionLost, type Redactor, StatementRefused } from "../../failures.ts";
import { DatabaseError } from "../../plugin.ts";
import type { Connection, QueryOutcome, Row } from "./connection.ts";
import { type DoomedRoles, type FoundRoles, findQuery, readFound, without } from "./doomed-roles.ts";
import { asDatabaseError } from "./failures.ts";
import { cleanElsewhere, DROP_LIMITS, type DropContext, failure, handOver } from "./hand-over.ts";
import { activeOf, type Holdings, holdingsOf, involvedQuery, joinsOf } from "./holdings.ts";
import { identifier, identifiers, textArray } from "./quoting.ts";
import { awaitSessions, endSessions } from "./sessions.ts";
import { begin, COMMIT, checkCommit, firstFailure, lockKey, rowsOf, WAIT_LIMITS } from "./transaction.ts";

/** The most roles of one transaction; PostgreSQL runs out of memory for locks at some 8,000. */
export const ROLES_PER_TRANSACTION_MAX = 500;

/** An internal error by its class; of a role it says "tuple concurrently updated" or "deleted". */
const CONCURRENTLY_UPDATED = "XX000";
const OVERTAKEN_ROUNDS_MAX = 3;

const ROLES_LEFT_QUERY = "SELECT rolname::text AS name FROM pg_roles WHERE rolname = ANY($1::text[])";

/** Roles that are left, and the numbers of those that have sessions. */
const LEFT_QUERY = `
SELECT rolname::text AS name, NULL::float8 AS oid FROM pg_roles WHERE rolname = ANY($1::text[])
UNION ALL
SELECT DISTINCT NULL, usesysid::int8::float8 FROM pg_stat_get_activity(NULL)
WHERE usesysid = ANY($2::oid[]) AND pid <> pg_backend_pid()`;

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
  const found = await find(connection, names);
  busy.push(...found.busy);
  for (const name of found.missing) outcomes.set(name, null);
  if (found.self !== undefined) {
    outcomes.set(found.self, failure(found.self, "it is the administrator of this connection"));
  }
  const { roles } = found;
  const involved = await disableLogins(connection, roles, context.redactor);
  failpoint("drop-roles:logins-disabled");
  if (roles.names.length === 0) return;

  const holdings = await quieten(connection, roles, involved, context, outcomes);
  failpoint("drop-roles:sessions-ended");
  for (const [database, holders] of holdings.elsewhere) {
    const holding = [...holders].filter((name) => !outcomes.has(name));
    if (holding.length > 0) await cleanElsewhere(database, holding, context, outcomes);
    failpoint("drop-roles:elsewhere-cleaned");
  }
  const ready = roles.names.filter((name) => !outcomes.has(name));
  if (ready.length > 0) await dropReady(connection, roles, ready, holdings.here, context, outcomes);
}

/** Begins step 1. With several names, one that is locked is set aside instead of waited for. */
async function find(
  connection: Connection,
  names: readonly string[],
): Promise<FoundRoles & { readonly busy: readonly string[] }> {
  const tried = await connection.pipeline([begin(WAIT_LIMITS, false), lockQuery(names), findQuery(names)]);
  const failed = firstFailure(tried);
  if (failed !== undefined) return rollBack(connection, failed.failure);
  const busy = names.length === 1 ? [] : rowsOf(tried[1]).map(({ place }) => names[Number(place) - 1] ?? "");
  if (busy.length === 0) return { ...readFound(names, rowsOf(tried[2])[0]), busy };
  const others = without(names, busy);
  const [again] = await connection.pipeline([findQuery(others)]);
  if (again?.failure !== undefined) return rollBack(connection, again.failure);
  return { ...readFound(others, rowsOf(again)[0]), busy };
}

/**
 * Ends step 1, and looks what step 2 has to do: sent together, since a commit after a refusal rolls back.
 * @returns The rows of {@link involvedQuery}.
 */
async function disableLogins(
  connection: Connection,
  roles: DoomedRoles,
  redactor: Redactor,
): Promise<readonly Row[]> {
  const statements = roles.logins.map((name) => `ALTER ROLE ${identifier(name)} NOLOGIN`);
  const tried = await connection.pipeline([
    ...(statements.length === 0 ? [] : [{ text: statements.join("; ") }]),
    COMMIT,
    ...(roles.names.length === 0 ? [] : [involvedQuery(roles)]),
  ]);
  const isCommitLast = roles.names.length === 0;
  requireCommitted(tried, tried.length - (isCommitLast ? 1 : 2), redactor);
  return isCommitLast ? [] : rowsOf(tried.at(-1));
}

/** Step 2. */
async function quieten(
  connection: Connection,
  roles: DoomedRoles,
  involved: readonly Row[],
  context: DropContext,
  outcomes: Map<string, RevokeOutcome>,
): Promise<Holdings> {
  const joins = joinsOf(roles, involved);
  if (joins.length > 0) await connection.query({ text: joins.join("; ") });
  const active = activeOf(involved);
  if (active.length === 0) return holdingsOf(roles, involved);
  await awaitSessions(connection, active, context.plugin.clock, context.graceUntilMs);
  const remaining = await endSessions(connection, active, context.plugin.clock);
  const byOid = roles.byOid();
  for (const oid of remaining) {
    const name = byOid.get(oid) ?? "";
    outcomes.set(name, failure(name, "its sessions do not end"));
  }
  // What a session did until its end counts too.
  return holdingsOf(roles, await connection.query(involvedQuery(roles)));
}

function lockQuery(names: readonly string[]) {
  const [only] = names;
  if (names.length === 1 && only !== undefined) {
    return { text: `SELECT pg_advisory_xact_lock('${lockKey(only)}'::bigint)` };
  }
  return {
    text:
      "SELECT place::int FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted(key, place) " +
      "WHERE NOT pg_try_advisory_xact_lock(key)",
    values: [`{${names.map(lockKey).join(",")}}`],
  };
}

/**
 * Reads the outcomes of queries that were sent together, the commit among them. A commit whose answer is lost is a lost
 * connection here: the step can be done again.
 */
function requireCommitted(tried: readonly QueryOutcome[], commitAt: number, redactor: Redactor): void {
  const failed = firstFailure(tried);
  if (failed?.failure instanceof ConnectionLost) throw failed.failure;
  if (failed === undefined || failed.index === commitAt) checkCommit(tried[commitAt], redactor);
  if (failed !== undefined) throw failed.failure;
}

async function rollBack(connection: Connection, failureSeen: Error): Promise<never> {
  if (!(failureSeen instanceof ConnectionLost)) await connection.pipeline([{ text: "ROLLBACK" }]);
  throw failureSeen;
}

/** Step 4. */
async function dropReady(
  connection: Connection,
  roles: DoomedRoles,
  ready: readonly string[],
  holdersHere: ReadonlySet<string>,
  context: DropContext,
  outcomes: Map<string, RevokeOutcome>,
): Promise<void> {
  const holders = ready.filter((name) => holdersHere.has(name));
  const queries = [
    begin(DROP_LIMITS),
    ...(holders.length === 0 ? [] : [{ text: handOver(holders) }]),
    { text: `DROP ROLE IF EXISTS ${identifiers(ready)}` },
    COMMIT,
    // Seen by whoever looks after the commit.
    { text: LEFT_QUERY, values: [textArray(ready), roles.oids] },
  ];
  const tried = await connection.pipeline(queries);
  requireCommitted(tried, queries.indexOf(COMMIT), context.redactor);
  failpoint("drop-roles:dropped");
  const left = rowsOf(tried.at(-1));
  if (left.length === 0) for (const name of ready) outcomes.set(name, null);
  else await judgeLeft(connection, roles, ready, left, context, outcomes);
}

/** Says of each role whether it, or a session of it, is still there. */
async function judgeLeft(
  connection: Connection,
  roles: DoomedRoles,
  ready: readonly string[],
  left: readonly Row[],
  context: DropContext,
  outcomes: Map<string, RevokeOutcome>,
): Promise<void> {
  const byOid = roles.byOid();
  const isReady = new Set(ready);
  const active = left.flatMap(({ oid }) => (isReady.has(byOid.get(Number(oid)) ?? "") ? [Number(oid)] : []));
  // A login that was being let in while it was taken away; a superuser can still end its session.
  const isEnded = active.length === 0 || (await areEnded(connection, active, context));
  const there = new Set(left.flatMap(({ name }) => (typeof name === "string" ? [name] : [])));
  for (const oid of isEnded ? [] : active) there.add(byOid.get(oid) ?? "");
  for (const name of ready) {
    const isLeft = there.has(name);
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
