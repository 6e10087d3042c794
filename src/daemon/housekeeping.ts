import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Core } from "../core/core.ts";
import type { Instance } from "../core/instance.ts";
import { irrevocableLeases } from "../core/leases/lookup.ts";
import { unsealedCore } from "./due-work.ts";

const HOUR_MS = 3_600_000;
/** Random nonces of AES-GCM are good for 2^32 messages a key (NIST SP 800-38D, 8.3); Vault rotates at 90 % of it, and so do we. */
const ENCRYPTIONS_MAX = 3_865_470_566;

export interface HouseOptions {
  readonly instance: Instance;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What a daemon does by the hour while the store is unsealed: says how many leases cannot be revoked, and rotates a key that has been used enough. */
export async function keepHouse({ instance, log, signal }: HouseOptions): Promise<void> {
  const { clock } = instance;
  while (!signal.aborted) {
    try {
      const core = await unsealedCore(instance);
      if (core !== null) {
        await reportIrrevocable(core);
        await rotateUsedKey(core);
      }
    } catch (error) {
      log.warn("housekeeping failed; it is tried again in an hour", {
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
