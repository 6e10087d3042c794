import type { Write } from "../../barrier/port.ts";
import { ApiError, aggregate, hasCode } from "../../base/errors.ts";
import type { Services } from "../services.ts";
import type { Caller } from "./caller.ts";
import { isWithinCidrs } from "./cidr.ts";
import { isLive, putToken, type StoredToken, TAKEN_MS, type TokenRecord, tokenKey } from "./record.ts";
import { findCaller, readToken } from "./store.ts";

const RACE_ATTEMPTS_MAX = 20;

/**
 * Whom a request's token belongs to. Costs one read for a service token.
 * @param remoteAddress - The caller's; null on this machine.
 * @returns Null: unknown, expired, on its way out, forged, or not to be used from there.
 */
export async function authenticate(
  services: Services,
  token: string,
  remoteAddress: string | null,
): Promise<Caller | null> {
  const caller = await findCaller(services.barrier, token, services.clock.now());
  if (caller === null || !(await isWithinCidrs(caller.record.boundCidrs, remoteAddress))) return null;
  return caller;
}

/**
 * Takes one use off a token that has a number of them; every authenticated request does, also one that is then denied. With
 * the last use the token is on its way out: the request that has it goes on, then revokes it; should it die, the token is due.
 * @throws ApiError 403 when the last use went to another request meanwhile.
 */
export async function spendUse(services: Services, caller: Caller): Promise<{ readonly last: boolean }> {
  if (caller.batch || caller.record.creationNumUses === 0) return { last: false };
  let stored: StoredToken | null = {
    hash: caller.tokenHash,
    record: caller.record,
    version: caller.version,
  };
  for (let attempt = 1; ; attempt += 1) {
    if (stored === null || !isLive(stored.record, services.clock.now())) throw invalidToken();
    const numUses = stored.record.numUses - 1;
    try {
      await services.barrier.commit([spent(services, stored, numUses)]);
      return { last: numUses === 0 };
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT") || attempt === RACE_ATTEMPTS_MAX) throw error;
    }
    stored = await readToken(services.barrier, caller.tokenHash);
  }
}

function spent(services: Services, stored: StoredToken, numUses: number): Write {
  const record: TokenRecord = { ...stored.record, numUses };
  if (numUses > 0) return putToken(stored.hash, record, stored.version);
  const dueAt = services.clock.now() + TAKEN_MS;
  return putToken(stored.hash, { ...record, state: "revoking" }, stored.version, dueAt);
}

function invalidToken(): ApiError {
  return new ApiError(403, aggregate("permission denied", "invalid token"));
}

/**
 * The precondition under which something may be put into a token's name (a lease, a cubbyhole's entry): that the token is
 * still as it was read just now. Without it a revocation that runs at the same time could miss what is being made.
 * A batch that fails on it is tried again with a new guard.
 * @param isFirst - What the caller was found by will do: should it be out of date, the commit fails.
 * @throws ApiError 403 when the token is gone or on its way out.
 */
export async function aliveGuard(
  services: Services,
  caller: Caller,
  isFirst = false,
): Promise<readonly Write[]> {
  // A limited token's entry has changed since: this request has spent a use.
  if (isFirst && !caller.batch && caller.record.creationNumUses === 0) {
    return [{ op: "check", key: tokenKey(caller.tokenHash), expect: caller.version }];
  }
  const hash = caller.batch ? caller.record.parentHash : caller.tokenHash;
  if (hash === null) return [];
  const stored = await readToken(services.barrier, hash);
  if (stored === null || !isLive(stored.record, services.clock.now())) throw invalidToken();
  return [{ op: "check", key: tokenKey(hash), expect: stored.version }];
}

/**
 * What to tell a caller whose token ends before the lease that it asks for, and takes the lease with it. Null: it does not.
 * @param leaseExpiresAt - Milliseconds since the epoch.
 */
export function tokenEndsFirst({ record }: Caller, leaseExpiresAt: number): string | null {
  if (record.expiresAt === null || record.expiresAt >= leaseExpiresAt) return null;
  const times = [record.expiresAt, leaseExpiresAt].map(readable);
  return (
    `the token ends at ${times[0]}, before this lease would at ${times[1]}, and the lease ends with it; ` +
    "renew the token, or use one that lives longer"
  );
}

function readable(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

/** The longest TTL that a lease of this caller may have, in seconds: a batch token's own time left. Null: no such limit. */
export function leaseCapSeconds({ batch, record }: Caller, now: number): number | null {
  if (!batch || record.expiresAt === null) return null;
  return Math.max(0, Math.floor((record.expiresAt - now) / 1000));
}
