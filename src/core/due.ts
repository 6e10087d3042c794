import type { StoredEntry } from "../barrier/port.ts";
import { hasCode, messageOf } from "../base/errors.ts";
import { randomFraction } from "../base/random.ts";
import { LOCKOUT_PREFIX, settleLockout } from "./identity/lockout.ts";
import { settlePrefixMark } from "./leases/end-under.ts";
import { settleOwner } from "./leases/owner.ts";
import { OWNER_PREFIX } from "./leases/owner-keys.ts";
import { PREFIX_MARK_PREFIX } from "./leases/prefix-mark.ts";
import { decodeLease, LEASE_PREFIX, type StoredLease } from "./leases/record.ts";
import { revokeLeases } from "./leases/revoke.ts";
import { RETIRED_PREFIX, settleRetired } from "./mounts/retire.ts";
import type { Services } from "./services.ts";
import { hashOfKey, TOKEN_PREFIX } from "./tokens/record.ts";
import { settleDueTokens } from "./tokens/revoke.ts";

/** How long a worker keeps what it claimed to itself, before it has taken it by a commit of its own. */
const CLAIM_MS = 120_000;
/** After how long an engine's due work that failed is tried again, before jitter. */
const ENGINE_RETRY_MS = 60_000;

/**
 * Takes up to `limit` due entries, whatever they are, for this worker; the longest due come first.
 * @param owner - Names this worker in claims.
 */
export async function claimDue(
  { barrier, clock }: Services,
  owner: string,
  limit: number,
): Promise<readonly StoredEntry[]> {
  const now = clock.now();
  return barrier.claim({ now, limit, owner, until: now + CLAIM_MS });
}

/**
 * Does what is due: revokes expired leases in batches, lets engines do their own work, clears disabled mounts away.
 * @returns How many of the entries failed; they are due again, with backoff.
 */
export async function doDue(services: Services, entries: readonly StoredEntry[]): Promise<number> {
  const isLease = ({ key }: StoredEntry): boolean => key.startsWith(LEASE_PREFIX);
  const isToken = ({ key }: StoredEntry): boolean => key.startsWith(TOKEN_PREFIX);
  const others = entries.filter((entry) => !isLease(entry) && !isToken(entry));
  // One after the other: a token's end, or a mount's, revokes leases that may be due on their own account as well.
  const leases = await endDueLeases(services, entries.filter(isLease));
  const tokens = await endDueTokens(services, entries.filter(isToken));
  const rest = await Promise.all(others.map((entry) => doOther(services, entry)));
  const failed = rest.reduce((sum, count) => sum + count, leases + tokens);
  services.metrics.dueWork(entries.length, failed);
  return failed;
}

/** Tokens that have expired, and revocations that were cut short. Together, so that their leases are revoked in batches. */
async function endDueTokens(services: Services, entries: readonly StoredEntry[]): Promise<number> {
  if (entries.length === 0) return 0;
  try {
    const { tokens, failed } = await settleDueTokens(
      services,
      entries.map(({ key }) => hashOfKey(key)),
    );
    if (tokens > 0) services.log.info("tokens ended", { count: tokens });
    return failed.length;
  } catch (error) {
    services.log.warn("tokens could not be ended yet; it is retried", { error: messageOf(error) });
    for (const entry of entries) await postpone(services, entry);
    return entries.length;
  }
}

async function endDueLeases(services: Services, entries: readonly StoredEntry[]): Promise<number> {
  const leases = entries.flatMap((entry) => readableLease(services, entry));
  const { revoked, failed } = await revokeLeases(services, leases);
  for (const record of revoked) {
    services.log.info("lease ended", { lease: record.id, principal: record.principal });
  }
  return failed.length + entries.length - leases.length;
}

/** One record that cannot be read (a later vsec's) must not hold up all that was claimed with it. */
function readableLease({ log }: Services, entry: StoredEntry): StoredLease[] {
  try {
    return [decodeLease(entry)];
  } catch (error) {
    log.error("a lease that is due cannot be read", { error: messageOf(error) });
    return [];
  }
}

/** Due work that is neither a lease's nor a token's. @returns How much of it failed and is due again. */
async function doOther(services: Services, entry: StoredEntry): Promise<number> {
  try {
    if (entry.key.startsWith(RETIRED_PREFIX)) {
      await settleRetired(services, entry.key.slice(RETIRED_PREFIX.length));
    } else if (entry.key.startsWith(LOCKOUT_PREFIX)) {
      await settleLockout(services, entry.key);
    } else if (entry.key.startsWith(OWNER_PREFIX)) {
      return await endOrphans(services, entry);
    } else if (entry.key.startsWith(PREFIX_MARK_PREFIX)) {
      return await endLeft(services, entry);
    } else {
      await doEngineWork(services, entry.key);
    }
    return 0;
  } catch (error) {
    services.log.warn("due work failed; it is retried", { error: messageOf(error) });
    await postpone(services, entry);
    return 1;
  }
}

/** @returns How many leases of an owner that is gone could not be revoked; they are due again by themselves. */
async function endOrphans(services: Services, entry: StoredEntry): Promise<number> {
  const { revoked, failed } = await settleOwner(services, entry);
  for (const record of revoked) {
    services.log.info("lease ended with the process that it was for", {
      lease: record.id,
      principal: record.principal,
    });
  }
  return failed.length;
}

/** @returns How many leases of a revocation of many could not be revoked; they are due again by themselves. */
async function endLeft(services: Services, entry: StoredEntry): Promise<number> {
  const { revoked, failed } = await settlePrefixMark(services, entry);
  services.log.info("went on with a revocation of many that was cut short", {
    revoked,
    failed: failed.length,
  });
  return failed.length;
}

/** `mount/<uuid>/<key>` belongs to that mount's engine. */
async function doEngineWork(services: Services, key: string): Promise<void> {
  const [, uuid = "", ...rest] = key.split("/");
  const mount = await services.mounts.byUuid(uuid);
  if (mount === null) {
    await services.barrier.commit([{ op: "delete", key }]);
    return;
  }
  const { backend } = await services.mounts.load(mount);
  await backend.due?.(rest.join("/"));
}

async function postpone(services: Services, entry: StoredEntry): Promise<void> {
  const delay = Math.round(ENGINE_RETRY_MS * (0.5 + randomFraction(services.random)));
  const dueAt = services.clock.now() + delay;
  try {
    await services.barrier.commit([
      { op: "put", key: entry.key, value: entry.value, dueAt, expect: entry.version },
    ]);
  } catch (error) {
    // Whoever changed the entry meanwhile has also decided when it is due.
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
  }
}
