import type { Clock } from "../../base/clock.ts";
import { type Credentials, type HeldLease, reasonOf } from "./credentials.ts";

/** A lease that goes on no longer, and why. */
export interface EndingLease {
  readonly lease: HeldLease;
  readonly reason: string;
}

/** After a renewal that failed for want of an answer, and before the lease is over, it is tried again so soon at most. */
const RETRY_MS_MAX = 30_000;
const RETRY_MS_MIN = 1000;
/** How often it is looked whether there are other leases by now. */
const POLL_MS_MAX = 1000;

/**
 * Renews leases at half of what they have left, until the signal. A lease whose renewal is refused, or gives it less than
 * half of its first TTL (its role's maximum is near), is told to `onEnding`, once.
 * @param credentials - Whose present leases are kept; those it gets later too.
 */
export async function keepRenewed(
  credentials: Credentials,
  clock: Clock,
  signal: AbortSignal,
  onEnding: (ending: EndingLease) => void,
): Promise<void> {
  const renewAt = new Map<HeldLease, number>();
  const over = new Set<HeldLease>();
  const settle = async (lease: HeldLease): Promise<void> => {
    const outcome = await renew(credentials, clock, lease);
    if (outcome === "again") renewAt.set(lease, clock.now() + retryDelayMs(lease, clock.now()));
    else if (outcome === "renewed") renewAt.set(lease, halfWay(lease, clock.now()));
    else {
      over.add(lease);
      onEnding({ lease, reason: outcome.reason });
    }
  };
  while (!signal.aborted) {
    const leases = (await credentials.leases()).filter((lease) => lease.ttlSeconds > 0 && !over.has(lease));
    for (const lease of leases) if (!renewAt.has(lease)) renewAt.set(lease, halfWay(lease, clock.now()));
    const next = Math.min(clock.now() + POLL_MS_MAX, ...leases.map((lease) => renewAt.get(lease) ?? 0));
    await clock.sleep(next - clock.now(), signal);
    for (const lease of leases) {
      if (!signal.aborted && (renewAt.get(lease) ?? 0) <= clock.now()) await settle(lease);
    }
  }
}

function halfWay({ expiresAt }: HeldLease, now: number): number {
  return now + Math.max(0, expiresAt - now) / 2;
}

function retryDelayMs({ expiresAt }: HeldLease, now: number): number {
  return Math.min(RETRY_MS_MAX, Math.max(RETRY_MS_MIN, (expiresAt - now) / 8));
}

async function renew(
  credentials: Credentials,
  clock: Clock,
  lease: HeldLease,
): Promise<"renewed" | "again" | { readonly reason: string }> {
  if (!lease.renewable) return { reason: "it cannot be renewed" };
  try {
    await credentials.renew(lease);
  } catch (error) {
    // A refusal stands; what did not get through, or the backend's own failure, may do so yet.
    const status = (error as { status?: number }).status;
    const isRefusal = status !== undefined && status < 500;
    if (!isRefusal && lease.expiresAt > clock.now()) return "again";
    return { reason: reasonOf(error) };
  }
  const seconds = (lease.expiresAt - clock.now()) / 1000;
  return seconds < lease.ttlSeconds / 2 ? { reason: "its longest time is nearly up" } : "renewed";
}
