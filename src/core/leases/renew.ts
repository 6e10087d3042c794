import { ApiError, aggregate, badRequest, hasCode, messageOf } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import { effectiveTtl } from "../mounts/mounts.ts";
import type { Services } from "../services.ts";
import { resolveTtl } from "../ttl.ts";
import { isIrrevocable, type LeaseRecord, leasedSecret, putLease, type StoredLease } from "./record.ts";
import { readLease } from "./store.ts";

const RACE_ATTEMPTS_MAX = 5;

export interface RenewedLease {
  readonly record: LeaseRecord;
  readonly ttlSeconds: number;
  readonly warnings: readonly string[];
}

/**
 * Renews a lease by the role's present terms: the increment counts from now, the maximum from issue.
 * The backend's own expiry moves first, or last when it comes nearer: a crash in between leaves it later than the lease,
 * and the lease still ends it.
 * @throws ApiError 400 `lease not found`, `lease expired`, `lease is not renewable`, `past the max TTL, cannot renew`;
 *   500 `failed to renew entry: …`.
 */
export async function renewLease(
  services: Services,
  id: string,
  incrementSeconds: number,
): Promise<RenewedLease> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await renewOnce(services, id, incrementSeconds);
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT") || attempt === RACE_ATTEMPTS_MAX) throw error;
    }
  }
}

async function renewOnce(services: Services, id: string, incrementSeconds: number): Promise<RenewedLease> {
  const lease = await renewableLease(services, id);
  const found = await services.mounts.secretType(lease.record.mountUuid, lease.record.secret);
  if (found?.type.renew === undefined) throw badRequest("lease is not renewable");
  const terms = await engineSays(() => found.type.renew?.(leasedSecret(lease.record)));
  const now = services.clock.now();
  const ttl = resolveTtl({
    incrementSeconds,
    ttlSeconds: terms.ttlSeconds,
    maxTtlSeconds: terms.maxTtlSeconds,
    mount: effectiveTtl(found.entry),
    now,
    issuedAt: lease.record.issuedAt,
  });
  const expiresAt = now + ttl.seconds * 1000;
  const apply = (): Promise<boolean> =>
    engineSays(async () => {
      await terms.apply?.(expiresAt);
      return true;
    });
  const isShorter = expiresAt < lease.record.expiresAt;
  if (!isShorter) await apply();
  failpoint("renew:applied");
  const record: LeaseRecord = { ...lease.record, expiresAt, renewedAt: now };
  await services.barrier.commit([putLease(record, expiresAt, lease.version)]);
  failpoint("renew:committed");
  if (isShorter) await apply();
  return { record, ttlSeconds: ttl.seconds, warnings: ttl.warnings };
}

async function renewableLease(services: Services, id: string): Promise<StoredLease> {
  const lease = await readLease(services, id);
  if (lease === null || lease.record.state === "pending") throw badRequest("lease not found");
  if (isIrrevocable(lease.record)) {
    throw badRequest("lease is expired and has failed previous revocation attempts");
  }
  const { state, expiresAt, renewable } = lease.record;
  if (state === "revoking" || expiresAt <= services.clock.now()) throw badRequest("lease expired");
  if (!renewable) throw badRequest("lease is not renewable");
  return lease;
}

async function engineSays<T>(ask: () => Promise<T> | undefined): Promise<T> {
  try {
    const answer = await ask();
    if (answer === undefined) throw badRequest("lease is not renewable");
    return answer;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(500, aggregate(`failed to renew entry: ${messageOf(error)}`), { cause: error });
  }
}
