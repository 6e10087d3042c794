import { VsecError } from "../../base/errors.ts";
import type { LeaseRecord, StoredLease } from "../leases/record.ts";
import { BATCH_MAX, revokeLeases } from "../leases/revoke.ts";
import { changeLeases, type LeaseChange, leasesOfToken } from "../leases/store.ts";
import type { Services } from "../services.ts";

/** Each pass takes the leases that an earlier one lost to their creator or to a renewal. */
const PASSES_MAX = 10;

/** A lease whose secret could not be revoked yet, and why. It goes on being retried. */
export interface FailedLease {
  readonly record: LeaseRecord;
  readonly error: string;
}

/**
 * Ends every lease of these owners. First all of them are made due, durably, so that a kill in the middle leaves the rest to
 * the next sweep; then they are revoked, many at once. Leases whose backend fails stay due on their own account.
 * @returns Those.
 */
export async function endLeasesOfOwners(
  services: Services,
  owners: readonly string[],
): Promise<readonly FailedLease[]> {
  for (const owner of owners) await makeAllDue(services, owner);
  const failed: FailedLease[] = [];
  let batch: StoredLease[] = [];
  const flush = async (): Promise<void> => {
    failed.push(...(await revokeLeases(services, batch)).failed);
    batch = [];
  };
  for (const owner of owners) {
    for await (const page of leasesOfToken(services, owner)) {
      batch.push(...page);
      if (batch.length >= BATCH_MAX) await flush();
    }
  }
  if (batch.length > 0) await flush();
  return failed;
}

/** @throws STORE_CONFLICT when others keep changing some of them; the owner is due again then. */
async function makeAllDue(services: Services, owner: string): Promise<void> {
  for (let pass = 1; pass <= PASSES_MAX; pass += 1) {
    let lost = 0;
    for await (const page of leasesOfToken(services, owner)) {
      const now = services.clock.now();
      const running = page.filter(({ record }) => record.state !== "revoking");
      const changes = running.map((lease): LeaseChange => {
        const expiresAt = Math.min(lease.record.expiresAt, now);
        return { lease, record: { ...lease.record, state: "revoking", expiresAt }, dueAt: now };
      });
      lost += changes.length - (await changeLeases(services, changes)).length;
    }
    if (lost === 0) return;
  }
  throw new VsecError("STORE_CONFLICT", "a token's leases keep changing while they are being revoked");
}
