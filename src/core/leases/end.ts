import { mapBounded } from "../../base/bounded.ts";
import { badRequest } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import type { Services } from "../services.ts";
import { BulkForgetting } from "./bulk-forgetting.ts";
import type { LeaseRecord, StoredLease } from "./record.ts";
import { endingRecord, type Revocation, revokeLeases, revokeTaken, slices, TAKEN_MS } from "./revoke.ts";
import {
  changeLeases,
  forgetLeases,
  LEASES_OF_A_COMMIT,
  type LeaseChange,
  leasePage,
  leasesUnder,
  readLease,
} from "./store.ts";

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

/** What a revocation by prefix did. */
export interface PrefixOutcome {
  readonly revoked: number;
  readonly failed: readonly { readonly record: LeaseRecord; readonly error: string }[];
}

/** How many batches are worked on at a time: while one waits for the backend, the store has the other. */
const BATCHES_AT_ONCE_MAX = 2;

/** How many leases are taken before the first is revoked; those beyond are taken batch by batch. */
const HELD_MAX = 10_000;

/**
 * Revokes every lease below a prefix. First all of them are made due, durably, so that a kill in the middle leaves the rest
 * to the next sweep; then they are revoked in batches.
 * @param only - Leaves out the leases for which it is false.
 */
export async function endLeasesUnder(
  services: Services,
  prefix: string,
  only: (record: LeaseRecord) => boolean = () => true,
): Promise<PrefixOutcome> {
  const exact = await readLease(services, prefix);
  if (exact !== null && only(exact.record)) return outcomeOf(await endLease(services, prefix));
  const { held, total } = await makeAllDue(services, prefix, only, HELD_MAX);
  // What begins later than this might not end before others may have it: it is taken again, below.
  const heldUntil = services.clock.now() + TAKEN_MS / 4;
  failpoint("revoke-prefix:due");
  const begun = new Set<string>();
  const forgetting = new BulkForgetting(services);
  const first = await mapBounded(slices(held), BATCHES_AT_ONCE_MAX, async (leases) => {
    if (services.clock.now() > heldUntil) return NONE;
    for (const { record } of leases) begun.add(record.id);
    return outcomeOf(await revokeTaken(services, leases, (gone) => forgetting.forget(gone)));
  });
  await forgetting.flush();
  failpoint("revoke-prefix:forgotten");
  if (begun.size === total) return sumOf(first);
  const rest = await mapBounded(leasesUnder(services, prefix), BATCHES_AT_ONCE_MAX, (page) => {
    const left = page.filter(({ record }) => only(record) && !begun.has(record.id));
    return left.length === 0 ? Promise.resolve(NONE) : endLeases(services, left);
  });
  return sumOf([...first, ...rest]);
}

const NONE: PrefixOutcome = { revoked: 0, failed: [] };

/** A part of a revocation by prefix, so that whoever asks can say how far it is. */
export interface PrefixPart extends PrefixOutcome {
  /** How many leases there were; only in the first part. */
  readonly total: number | undefined;
  /** Where the next part goes on; undefined: this was the last one. */
  readonly next: string | undefined;
}

/** Does one part of what {@link endLeasesUnder} does. @param after - {@link PrefixPart.next} of the part before. */
export async function endPartUnder(
  services: Services,
  prefix: string,
  after: string | undefined,
): Promise<PrefixPart> {
  const total = after === undefined ? (await makeAllDue(services, prefix, () => true, 0)).total : undefined;
  const page = await leasePage(services, prefix, after);
  return { ...(await endLeases(services, page.leases)), total, next: page.next };
}

async function endLeases(services: Services, leases: readonly StoredLease[]): Promise<PrefixOutcome> {
  const result = await revokeLeases(services, leases);
  const outcomes = [outcomeOf(result)];
  for (const { record } of lostOf(leases, result))
    outcomes.push(outcomeOf(await endLease(services, record.id)));
  return sumOf(outcomes);
}

function outcomeOf({ revoked, failed }: Revocation): PrefixOutcome {
  return { revoked: revoked.length, failed };
}

function sumOf(outcomes: readonly PrefixOutcome[]): PrefixOutcome {
  const revoked = outcomes.reduce((sum, outcome) => sum + outcome.revoked, 0);
  return { revoked, failed: outcomes.flatMap(({ failed }) => failed) };
}

/** The leases that another process took or changed before they could be taken. */
function lostOf(wanted: readonly StoredLease[], { revoked, failed }: Revocation): readonly StoredLease[] {
  const settled = new Set([...revoked, ...failed.map(({ record }) => record)].map((record) => record.id));
  return wanted.filter((lease) => !settled.has(lease.record.id));
}

/**
 * Makes the leases below a prefix due, without those that are left out: the first so many after as long as this process
 * holds them, the others at once.
 */
async function makeAllDue(
  services: Services,
  prefix: string,
  only: (record: LeaseRecord) => boolean,
  heldMax: number,
): Promise<{ readonly held: readonly StoredLease[]; readonly total: number }> {
  const held: StoredLease[] = [];
  let total = 0;
  for await (const page of leasesUnder(services, prefix)) {
    const wanted = page.filter((lease) => only(lease.record));
    total += wanted.length;
    const heldOfPage = wanted.slice(0, Math.max(heldMax - held.length, 0));
    held.push(...heldOfPage);
    const due = wanted.slice(heldOfPage.length).filter((lease) => lease.record.state !== "revoking");
    await beginEnd(services, due, 0);
  }
  return { held: await takeInOrder(services, held), total };
}

/** Takes leases in the order in which they were written, which is how the store has them side by side. */
async function takeInOrder(services: Services, leases: readonly StoredLease[]): Promise<StoredLease[]> {
  const ordered = leases.toSorted((one, other) => one.version - other.version);
  const taken: StoredLease[] = [];
  for (let start = 0; start < ordered.length; start += LEASES_OF_A_COMMIT) {
    taken.push(...(await beginEnd(services, ordered.slice(start, start + LEASES_OF_A_COMMIT), TAKEN_MS)));
  }
  return taken;
}

/** @param heldMs - How long before they are due. */
function beginEnd(
  services: Services,
  leases: readonly StoredLease[],
  heldMs: number,
): Promise<readonly StoredLease[]> {
  const now = services.clock.now();
  const changes = leases.map((lease): LeaseChange => {
    return { lease, record: endingRecord(lease.record, now), dueAt: now + heldMs };
  });
  return changeLeases(services, changes);
}

/**
 * Revokes every lease below a prefix, and forgets also those whose secrets could not be revoked: the operator's word that
 * the backend is gone for good. What is left behind is returned, so that it can be named.
 */
export async function forceLeasesUnder(services: Services, prefix: string): Promise<readonly LeaseRecord[]> {
  const { failed } = await endLeasesUnder(services, prefix);
  const left: StoredLease[] = [];
  for (const { record } of failed) {
    const lease = await readLease(services, record.id);
    if (lease !== null) left.push(lease);
  }
  await forgetLeases(services, left);
  return left.map((lease) => lease.record);
}

/** Normalises a prefix from a request: no leading or trailing slash. @throws ApiError 400 for an empty one. */
export function leasePrefix(text: string): string {
  const prefix = text.replace(/^\/+|\/+$/g, "");
  if (prefix === "") throw badRequest("a prefix must be specified");
  return prefix;
}
