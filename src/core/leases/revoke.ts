import { mapBounded } from "../../base/bounded.ts";
import { messageOf } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import { NotTried, type RevokeOutcome, type SecretType } from "../../framework/secret.ts";
import type { Services } from "../services.ts";
import { retryDelayMs } from "./backoff.ts";
import { IRREVOCABLE_ATTEMPTS, type LeaseRecord, leasedSecret, type StoredLease } from "./record.ts";
import { changeLeases, forgetLeases, type LeaseChange } from "./store.ts";

/** The most leases that go through one revocation together; database batches stay below this as well. */
export const BATCH_MAX = 500;

/** How many backends are worked with at a time. */
const GROUPS_AT_ONCE_MAX = 16;

/** How long a revoker has the leases it took for itself. After it, should the revoker be gone, they are due again. */
export const TAKEN_MS = 120_000;

const ERROR_CHARS_MAX = 500;

export interface Revocation {
  readonly revoked: readonly LeaseRecord[];
  readonly failed: readonly { readonly record: LeaseRecord; readonly error: string }[];
}

/**
 * Revokes leases: takes each (a commit that fences off its creator and any renewal), makes their secrets gone, and forgets
 * those that are verified to be (where a creator may still be at work, after a second look). The others keep the reason and are due again, with backoff; none is ever given up.
 * Leases that another process has taken or changed meanwhile are left to it.
 */
export async function revokeLeases(services: Services, leases: readonly StoredLease[]): Promise<Revocation> {
  const taken = await take(services, leases);
  failpoint("revoke:taken");
  return revokeTaken(services, taken);
}

/** Forgets leases whose secrets are gone. */
export type Forget = (gone: readonly StoredLease[]) => Promise<unknown>;

/**
 * The rest of {@link revokeLeases}, for leases that this process has already taken, and still holds; or for active ones, whose
 * records here have the state that they would be taken with.
 * @param forget - May put it off: a lease that is met again once its secret is gone is revoked once more, which does nothing.
 */
export async function revokeTaken(
  services: Services,
  taken: readonly StoredLease[],
  forget: Forget = (gone) => forgetLeases(services, gone),
): Promise<Revocation> {
  const groups = await groupByBatch(services, taken);
  const results = await mapBounded(groups, GROUPS_AT_ONCE_MAX, (group) =>
    revokeGroup(services, group, forget),
  );
  // As lists and not element by element, of which there may be very many.
  const revoked = ([] as LeaseRecord[]).concat(...results.map((result) => result.revoked));
  const failed = ([] as Revocation["failed"]).concat(...results.map((result) => result.failed));
  services.metrics.leasesRevoked(revoked.length, failed.length);
  return { revoked, failed };
}

async function take(services: Services, leases: readonly StoredLease[]): Promise<readonly StoredLease[]> {
  const now = services.clock.now();
  const changes = leases.map((lease): LeaseChange => {
    return { lease, record: endingRecord(lease.record, now), dueAt: now + TAKEN_MS };
  });
  return changeLeases(services, changes);
}

/**
 * A lease's record once its revocation has begun. Where a creator may be at work it is given all of its time again, from
 * now: the clock that made the lease due may have jumped.
 */
export function endingRecord(record: LeaseRecord, now: number): LeaseRecord {
  const { createUntil, issuedAt } = record;
  const isPending = record.state === "pending" && createUntil !== null;
  return {
    ...record,
    state: "revoking",
    expiresAt: Math.min(record.expiresAt, now),
    createUntil: isPending ? now + createUntil - issuedAt : createUntil,
  };
}

interface Group {
  readonly leases: readonly StoredLease[];
  /** Absent: nothing is left that could revoke these. */
  readonly type: SecretType | null;
  readonly problem: string;
}

/** Leases that can be revoked over one connection go together: of one mount, one secret type and one batch key. */
async function groupByBatch(services: Services, leases: readonly StoredLease[]): Promise<Group[]> {
  const groups = new Map<string, { leases: StoredLease[]; type: SecretType | null; problem: string }>();
  const types = new Map<string, Awaited<ReturnType<typeof findType>>>();
  for (const lease of leases) {
    const { mountUuid, secret } = lease.record;
    // Neither has a space in it.
    const kind = `${mountUuid} ${secret}`;
    const found = types.get(kind) ?? (await findType(services, lease.record));
    types.set(kind, found);
    const { type, problem } = found;
    const batch = type?.batchKey?.(leasedSecret(lease.record)) ?? "";
    const key = `${kind} ${batch}`;
    const group = groups.get(key) ?? { leases: [], type, problem };
    group.leases.push(lease);
    groups.set(key, group);
  }
  return [...groups.values()].flatMap((group) =>
    slices(group.leases).map((part) => ({ ...group, leases: part })),
  );
}

/** Leases in batches. */
function slices(leases: readonly StoredLease[]): StoredLease[][] {
  const parts: StoredLease[][] = [];
  for (let start = 0; start < leases.length; start += BATCH_MAX)
    parts.push(leases.slice(start, start + BATCH_MAX));
  return parts;
}

async function findType(
  services: Services,
  record: LeaseRecord,
): Promise<{ type: SecretType | null; problem: string }> {
  try {
    const found = await services.mounts.secretType(record.mountUuid, record.secret);
    return { type: found?.type ?? null, problem: `its mount ${record.mountAccessor} is gone` };
  } catch (error) {
    return { type: null, problem: messageOf(error) };
  }
}

async function revokeGroup(services: Services, group: Group, forget: Forget): Promise<Revocation> {
  // Before the look: what a creator makes after it is not seen, however long this process is held up in between.
  const lookedAt = services.clock.now();
  const outcomes = await outcomesOf(group);
  failpoint("revoke:gone");
  const gone: StoredLease[] = [];
  const unsettled: LeaseChange[] = [];
  const failures: LeaseChange[] = [];
  const now = services.clock.now();
  group.leases.forEach((lease, index) => {
    const outcome = outcomes[index];
    const { record } = lease;
    if (outcome === null && (record.createUntil ?? 0) <= lookedAt) gone.push(lease);
    else if (outcome === null) unsettled.push({ lease, record, dueAt: record.createUntil ?? lookedAt });
    else failures.push(failureOf(services, lease, outcome ?? new TypeError("no outcome"), now));
  });
  await forget(gone);
  await changeLeases(services, unsettled);
  failpoint("revoke:settled");
  const recorded = failures.length === 0 ? [] : await recordFailures(services, failures);
  return {
    revoked: [...gone, ...unsettled.map(({ lease }) => lease)].map((lease) => lease.record),
    failed: recorded.map((record) => ({ record, error: record.failure?.error ?? "" })),
  };
}

async function outcomesOf(group: Group): Promise<readonly RevokeOutcome[]> {
  if (group.type === null) return group.leases.map(() => new TypeError(group.problem));
  try {
    return await group.type.revoke(group.leases.map((lease) => leasedSecret(lease.record)));
  } catch (error) {
    const failure = error instanceof Error ? error : new TypeError(messageOf(error));
    return group.leases.map(() => failure);
  }
}

function failureOf(services: Services, lease: StoredLease, error: Error, now: number): LeaseChange {
  const before = lease.record.failure?.attempts ?? 0;
  const attempts = error instanceof NotTried ? before : before + 1;
  const failure = { attempts, error: messageOf(error).slice(0, ERROR_CHARS_MAX), lastAttemptAt: now };
  const record = { ...lease.record, failure };
  return { lease, record, dueAt: now + retryDelayMs(Math.max(attempts, 1), services.random) };
}

/** @returns The records with their failures, without those of leases that somebody changed meanwhile. */
async function recordFailures(
  services: Services,
  failures: readonly LeaseChange[],
): Promise<readonly LeaseRecord[]> {
  const dueAtOf = new Map(failures.map(({ record, dueAt }) => [record, dueAt]));
  const recorded = (await changeLeases(services, failures)).map(({ record }) => record);
  for (const record of recorded) {
    const attempts = record.failure?.attempts ?? 0;
    const fields = {
      lease: record.id,
      principal: record.principal,
      attempts,
      error: record.failure?.error,
      next_attempt: new Date(dueAtOf.get(record) ?? 0).toISOString(),
    };
    if (attempts < IRREVOCABLE_ATTEMPTS) services.log.warn("revocation failed; it is retried", fields);
    else
      services.log.error("revocation keeps failing; the lease counts as irrevocable and is retried", fields);
  }
  return recorded;
}
