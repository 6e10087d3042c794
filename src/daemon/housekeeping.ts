import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Core } from "../core/core.ts";
import { irrevocableLeases } from "../core/leases/lookup.ts";

const HOUR_MS = 3_600_000;
/** Random nonces of AES-GCM are good for 2^32 messages a key (NIST SP 800-38D, 8.3); Vault rotates at 90 % of it, and so do we. */
const ENCRYPTIONS_MAX = 3_865_470_566;

/** What a daemon does by the hour: says how many leases cannot be revoked, and rotates a key that has been used enough. */
export async function keepHouse(core: Core, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await reportIrrevocable(core);
      await rotateUsedKey(core);
    } catch (error) {
      core.services.log.warn("housekeeping failed; it is tried again in an hour", {
        error: messageOf(error),
      });
    }
    await clock.sleep(HOUR_MS, signal);
  }
}

async function reportIrrevocable({ services }: Core): Promise<void> {
  const { total, rows } = await irrevocableLeases(services, 1);
  const [first] = rows;
  if (first === undefined) return;
  services.log.error("leases cannot be revoked; see `vsec read sys/leases type=irrevocable`", {
    count: total,
    first: first.id,
    error: first.failure?.error,
  });
}

async function rotateUsedKey({ services }: Core): Promise<void> {
  const status = await services.barrier.keyStatus();
  if (status.encryptions < ENCRYPTIONS_MAX) return;
  await services.barrier.rotate();
  services.log.info("the encryption key was rotated after long use", { term: status.term + 1 });
}
