import { ABSENT } from "../../barrier/port.ts";
import { ApiError, aggregate, hasCode, messageOf } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import type { JsonObject } from "../../base/json.ts";
import { randomString } from "../../base/random.ts";
import type { LeasePurpose } from "../../contract/wire.ts";
import { type LeasePlan, NothingMade, type SecretType } from "../../framework/secret.ts";
import { effectiveTtl, type Mounted } from "../mounts/mounts.ts";
import type { Services } from "../services.ts";
import { aliveGuard, leaseCapSeconds, tokenEndsFirst } from "../tokens/authenticate.ts";
import { type Caller, leaseOwner } from "../tokens/caller.ts";
import { resolveTtl } from "../ttl.ts";
import { passLiveLimit } from "./live-limit.ts";
import { putOwner } from "./owner-keys.ts";
import { type LeaseRecord, putLease, type StoredLease } from "./record.ts";
import { revokeLeases } from "./revoke.ts";
import { forgetLeases, readLease } from "./store.ts";

/** How long after the end of `create` a pending lease becomes due, should its creator be gone. */
const PENDING_MARGIN_MS = 30_000;

/** How often another process may change the mounts while a lease is committed. */
const RACE_ATTEMPTS_MAX = 20;
/** And how often others may issue before, where the leases of the path are counted. */
const COUNTED_ATTEMPTS_MAX = 500;

export interface IssueRequest {
  readonly mounted: Mounted;
  /** The request's whole path, which the lease id begins with. */
  readonly path: string;
  readonly plan: LeasePlan;
  /** Who asks: the lease belongs to its token, and ends with it. */
  readonly caller: Caller;
  /** Whom it is for; absent: nobody in particular. */
  readonly purpose?: LeasePurpose;
}

export interface IssuedLease {
  readonly record: LeaseRecord;
  readonly ttlSeconds: number;
  readonly data: JsonObject;
  readonly warnings: readonly string[];
}

/**
 * Issues a secret: intent, effect, confirmation. Killed between any two of these, what exists outside has a lease with a
 * due time, and nobody was shown the credential.
 * @throws What `create` threw; ApiError 500 when the lease was overtaken by its own revocation.
 */
export async function issueLease(services: Services, request: IssueRequest): Promise<IssuedLease> {
  const { mounted, plan } = request;
  const type = secretTypeOf(mounted, plan);
  const { record, ttlSeconds, warnings } = prepare(services, request, type);
  const pending = await commitPending(services, request, record);
  failpoint("issue:pending");
  const { data, alias } = await createOrUndo(services, pending, plan, record.issuedAt + type.createTimeoutMs);
  failpoint("issue:created");
  const active = await activate(services, pending, alias);
  failpoint("issue:active");
  return { record: active, ttlSeconds, data, warnings };
}

/**
 * Commits the intent, provided that the mount and the caller's token still stand: a mount that is disabled or moved meanwhile
 * ends the leases it finds, as a token does that is revoked, and must not be missed by one that comes after.
 * @throws ApiError 404 when the mount is gone; 429 when too many of its leases live.
 */
async function commitPending(
  services: Services,
  { mounted, caller, path, plan }: IssueRequest,
  record: LeaseRecord,
): Promise<StoredLease> {
  const { liveMax = 0 } = plan;
  const attemptsMax = liveMax > 0 ? COUNTED_ATTEMPTS_MAX : RACE_ATTEMPTS_MAX;
  const dueAt = record.createUntil ?? record.issuedAt;
  for (let attempt = 1; ; attempt += 1) {
    const isFirst = attempt === 1;
    const standing = await services.mounts.table.checkStanding(mounted.entry, isFirst);
    const guard = await aliveGuard(services, caller, isFirst);
    const gate = liveMax > 0 ? await passLiveLimit(services, mounted.entry.uuid, path, liveMax) : [];
    try {
      const writes = [
        putLease(record, dueAt, ABSENT),
        ...putOwner(record, record.issuedAt),
        standing,
        ...guard,
        ...gate,
      ];
      const [version] = await services.barrier.commit(writes);
      return { record, version: version ?? ABSENT };
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT") || attempt === attemptsMax) throw error;
    }
  }
}

function secretTypeOf(mounted: Mounted, plan: LeasePlan): SecretType {
  const type = mounted.backend.secrets.find((candidate) => candidate.name === plan.secret);
  if (type === undefined)
    throw new TypeError(`engine ${mounted.entry.type} declares no secret ${plan.secret}`);
  return type;
}

function prepare(services: Services, request: IssueRequest, type: SecretType) {
  const { mounted, plan, caller } = request;
  const now = services.clock.now();
  const cap = leaseCapSeconds(caller, now);
  const ttl = resolveTtl({
    incrementSeconds: 0,
    ttlSeconds: plan.ttlSeconds,
    maxTtlSeconds: lesser(plan.maxTtlSeconds, cap),
    mount: effectiveTtl(mounted.entry),
    now,
    issuedAt: now,
  });
  const record: LeaseRecord = {
    v: 1,
    id: `${request.path}/${randomString(services.random, 24)}`,
    state: "pending",
    mountUuid: mounted.entry.uuid,
    mountAccessor: mounted.entry.accessor,
    secret: plan.secret,
    internal: plan.internal,
    principal: plan.principal ?? null,
    tokenHash: leaseOwner(request.caller),
    issuedAt: now,
    expiresAt: now + ttl.seconds * 1000,
    renewedAt: null,
    renewable: (plan.renewable ?? true) && type.renew !== undefined,
    failure: null,
    createUntil: now + type.createTimeoutMs + PENDING_MARGIN_MS,
    ...request.purpose,
  };
  const early = tokenEndsFirst(caller, record.expiresAt);
  const warnings = early === null ? ttl.warnings : [...ttl.warnings, early];
  return { record, ttlSeconds: ttl.seconds, warnings };
}

/** The lesser of a maximum (0: none) and what a batch token has left. */
function lesser(maxSeconds: number, capSeconds: number | null): number {
  if (capSeconds === null) return maxSeconds;
  return maxSeconds > 0 ? Math.min(maxSeconds, capSeconds) : capSeconds;
}

async function createOrUndo(
  services: Services,
  pending: StoredLease,
  plan: LeasePlan,
  endBy: number,
): Promise<{ data: JsonObject; alias: string | undefined }> {
  const { id, expiresAt } = pending.record;
  let alias: string | undefined;
  const alsoCall = (name: string): void => {
    alias = name;
  };
  try {
    const data = await plan.create({ id, expiresAt, endBy, alsoCall });
    return { data, alias };
  } catch (error) {
    failpoint("issue:create-failed");
    if (error instanceof NothingMade) await forgetUnmade(services, pending);
    else await undo(services, pending);
    throw error;
  }
}

/**
 * Forgets a lease for which nothing was made. A backend that is away would keep it due for as long, one more for each that asks,
 * and have it count among those that live. Somebody else may have taken it meanwhile: then it is theirs.
 */
async function forgetUnmade(services: Services, pending: StoredLease): Promise<void> {
  try {
    await forgetLeases(services, [pending]);
  } catch (error) {
    services.log.warn("a lease for which nothing was made could not be forgotten yet; it stays due", {
      lease: pending.record.id,
      error: messageOf(error),
    });
  }
}

/** Confirms the lease. A creator that was overtaken by its lease's revocation undoes what it made and reports failure. */
async function activate(
  services: Services,
  pending: StoredLease,
  alias: string | undefined,
): Promise<LeaseRecord> {
  const named = alias === undefined ? pending.record : { ...pending.record, alias };
  const record: LeaseRecord = { ...named, state: "active", createUntil: null };
  try {
    await services.barrier.commit([putLease(record, record.expiresAt, pending.version)]);
    return record;
  } catch (error) {
    await undo(services, pending);
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    const text = "the lease was revoked before its secret was ready; nothing was issued, so try again";
    throw new ApiError(500, aggregate(text), { cause: error });
  }
}

/**
 * Revokes what a failed creation may have left. The lease is taken as it stands now: somebody else may have taken it, a
 * commit whose answer was lost may have changed it, and should it be forgotten it is put back first, because what was made
 * has to have one. Whatever goes wrong here, the lease is still due.
 */
async function undo(services: Services, { record }: StoredLease): Promise<void> {
  try {
    const lease = (await readLease(services, record.id)) ?? (await putBack(services, record));
    if (lease === null) return;
    await revokeLeases(services, [{ ...lease, record: { ...lease.record, createUntil: null } }]);
  } catch (error) {
    services.log.warn("a failed creation could not be undone yet; its lease stays due", {
      lease: record.id,
      error: messageOf(error),
    });
  }
}

/** Null: the mount is gone too, after its last lease was seen to be; a lease that nothing can revoke would help nobody. */
async function putBack(services: Services, pending: LeaseRecord): Promise<StoredLease | null> {
  const record: LeaseRecord = { ...pending, state: "revoking" };
  const now = services.clock.now();
  const lease = [putLease(record, now, ABSENT), ...putOwner(record, now)];
  for (let attempt = 1; ; attempt += 1) {
    const mount = await services.mounts.table.touch(pending.mountUuid);
    if (mount === null) {
      services.log.error("a creation outlived its lease and its mount; see that nothing is left of it", {
        lease: pending.id,
        principal: pending.principal,
      });
      return null;
    }
    try {
      const [version] = await services.barrier.commit([...lease, mount]);
      return { record, version: version ?? ABSENT };
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT") || attempt === RACE_ATTEMPTS_MAX) throw error;
    }
  }
}
