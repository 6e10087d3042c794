import type { Services } from "../services.ts";
import type { LeaseRecord, StoredLease } from "./record.ts";
import { type Revocation, revokeLeases } from "./revoke.ts";
import { readLease } from "./store.ts";

const NOTHING: Revocation = { revoked: [], failed: [] };
/** Each pass takes what an earlier one lost to a race; a lease that loses this often is in somebody else's hands. */
const PASSES_MAX = 9;
/** How long the first loser of a race waits for the winner to finish; each later one twice as long, up to the limit. */
const PAUSE_MS = 20;
const PAUSE_MS_MAX = 500;
const BUSY = "another process is at work on it";

/**
 * Revokes one lease now. An unknown one is a success: there is nothing to do.
 * The lease is due from the first commit on, so a process killed here has only delayed it.
 */
export async function endLease(services: Services, id: string): Promise<Revocation> {
  let result = NOTHING;
  for (let pass = 1; pass <= PASSES_MAX; pass += 1) {
    const lease = await readLease(services, id);
    if (lease === null) return result;
    result = await revokeLeases(services, [lease]);
    if (result.failed.length + result.revoked.length > 0) return result;
    await services.clock.sleep(Math.min(PAUSE_MS * 2 ** (pass - 1), PAUSE_MS_MAX));
  }
  const left = await readLease(services, id);
  return left === null ? NOTHING : { revoked: [], failed: [{ record: left.record, error: BUSY }] };
}

/** What a revocation of many did. */
export interface Outcome {
  readonly revoked: number;
  readonly failed: readonly { readonly record: LeaseRecord; readonly error: string }[];
}

/** Takes leases, and revokes them. */
export async function endLeases(services: Services, leases: readonly StoredLease[]): Promise<Outcome> {
  const result = await revokeLeases(services, leases);
  const outcomes = [outcomeOf(result)];
  for (const { record } of lostOf(leases, result))
    outcomes.push(outcomeOf(await endLease(services, record.id)));
  return sumOf(outcomes);
}

export function outcomeOf({ revoked, failed }: Revocation): Outcome {
  return { revoked: revoked.length, failed };
}

export function sumOf(outcomes: readonly Outcome[]): Outcome {
  const revoked = outcomes.reduce((sum, outcome) => sum + outcome.revoked, 0);
  return { revoked, failed: outcomes.flatMap(({ failed }) => failed) };
}

/** The leases that another process took or changed before they could be taken. */
export function lostOf(
  wanted: readonly StoredLease[],
  { revoked, failed }: Revocation,
): readonly StoredLease[] {
  // Mostly none is, and there may be very many.
  if (revoked.length + failed.length === wanted.length) return [];
  const settled = new Set([...revoked, ...failed.map(({ record }) => record)].map((record) => record.id));
  return wanted.filter((lease) => !settled.has(lease.record.id));
}
