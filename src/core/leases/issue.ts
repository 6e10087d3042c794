import { ABSENT } from "../../barrier/port.ts";
import { ApiError, aggregate, hasCode, messageOf } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import type { JsonObject } from "../../base/json.ts";
import { randomString } from "../../base/random.ts";
import type { LeasePlan, SecretType } from "../../framework/secret.ts";
import { effectiveTtl, type Mounted } from "../mounts/mounts.ts";
import type { MountEntry } from "../mounts/table.ts";
import type { Services } from "../services.ts";
import { resolveTtl } from "../ttl.ts";
import { type LeaseRecord, putLease, putLeaseIndexes, type StoredLease } from "./record.ts";
import { revokeLeases } from "./revoke.ts";
import { readLease } from "./store.ts";

/** How long after the end of `create` a pending lease becomes due, should its creator be gone. */
const PENDING_MARGIN_MS = 30_000;

/** How often another process may change the mounts while a lease is committed. */
const RACE_ATTEMPTS_MAX = 20;

export interface IssueRequest {
  readonly mounted: Mounted;
  /** The request's whole path, which the lease id begins with. */
  readonly path: string;
  readonly plan: LeasePlan;
  readonly tokenHash: string;
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
  const pending = await commitPending(services, mounted.entry, record);
  failpoint("issue:pending");
  const data = await createOrUndo(services, pending, plan, record.issuedAt + type.createTimeoutMs);
  failpoint("issue:created");
  const active = await activate(services, pending);
  failpoint("issue:active");
  return { record: active, ttlSeconds, data, warnings };
}

/**
 * Commits the intent, provided that the mount still stands: one that is disabled or moved meanwhile ends the leases it
 * finds, and must not be missed by one that comes after.
 * @throws ApiError 404 when the mount is gone.
 */
async function commitPending(
  { barrier, mounts }: Services,
  mount: MountEntry,
  record: LeaseRecord,
): Promise<StoredLease> {
  const dueAt = record.createUntil ?? record.issuedAt;
  for (let attempt = 1; ; attempt += 1) {
    const standing = await mounts.table.checkStanding(mount);
    try {
      const writes = [putLease(record, dueAt, ABSENT), ...putLeaseIndexes(record), standing];
      const [version] = await barrier.commit(writes);
      return { record, version: version ?? ABSENT };
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT") || attempt === RACE_ATTEMPTS_MAX) throw error;
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
  const { mounted, plan } = request;
  const now = services.clock.now();
  const ttl = resolveTtl({
    incrementSeconds: 0,
    ttlSeconds: plan.ttlSeconds,
    maxTtlSeconds: plan.maxTtlSeconds,
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
    tokenHash: request.tokenHash,
    issuedAt: now,
    expiresAt: now + ttl.seconds * 1000,
    renewedAt: null,
    renewable: (plan.renewable ?? true) && type.renew !== undefined,
    failure: null,
    createUntil: now + type.createTimeoutMs + PENDING_MARGIN_MS,
  };
  return { record, ttlSeconds: ttl.seconds, warnings: ttl.warnings };
}

async function createOrUndo(
  services: Services,
  pending: StoredLease,
  plan: LeasePlan,
  endBy: number,
): Promise<JsonObject> {
  const { id, expiresAt } = pending.record;
  try {
    return await plan.create({ id, expiresAt, endBy });
  } catch (error) {
    failpoint("issue:create-failed");
    await undo(services, pending);
    throw error;
  }
}

/** Confirms the lease. A creator that was overtaken by its lease's revocation undoes what it made and reports failure. */
async function activate(services: Services, pending: StoredLease): Promise<LeaseRecord> {
  const record: LeaseRecord = { ...pending.record, state: "active", createUntil: null };
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
    await revokeLeases(services, [{ ...lease, record: { ...lease.record, createUntil: null } }]);
  } catch (error) {
    services.log.warn("a failed creation could not be undone yet; its lease stays due", {
      lease: record.id,
      error: messageOf(error),
    });
  }
}

async function putBack(services: Services, pending: LeaseRecord): Promise<StoredLease> {
  const record: LeaseRecord = { ...pending, state: "revoking" };
  const writes = [putLease(record, services.clock.now(), ABSENT), ...putLeaseIndexes(record)];
  const [version] = await services.barrier.commit(writes);
  return { record, version: version ?? ABSENT };
}
