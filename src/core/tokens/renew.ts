import { badRequest, hasCode } from "../../base/errors.ts";
import { type EffectiveTtl, effectiveTtl } from "../mounts/mounts.ts";
import type { Services } from "../services.ts";
import { resolveTtl } from "../ttl.ts";
import { leastOf } from "./create-request.ts";
import { leaseSeconds } from "./present.ts";
import { isLive, putToken, type StoredToken, type TokenRecord } from "./record.ts";
import { readRole } from "./roles.ts";
import { readToken } from "./store.ts";

const RACE_ATTEMPTS_MAX = 20;

export interface RenewedToken {
  readonly record: TokenRecord;
  readonly warnings: readonly string[];
}

/** On what terms a token is renewed; TTLs in seconds, 0: none. */
interface Terms {
  readonly ttlSeconds: number;
  readonly maxTtlSeconds: number;
  readonly periodSeconds: number;
  readonly explicitMaxTtlSeconds: number;
  readonly mount: EffectiveTtl;
}

/**
 * Renews a token by the present terms of its role or auth method: the increment counts from now, the maximum from issue.
 * @param incrementSeconds - The wanted TTL; 0: as last time, or what the role says. Without effect on a periodic token.
 * @param mountTtl - The token method's own TTLs.
 * @throws ApiError 400 `token not found`, `lease is not renewable`, `past the max TTL, cannot renew`, or the method's refusal.
 * @see reference: TTL resolution, token renew.
 */
export async function renewToken(
  services: Services,
  hash: string,
  incrementSeconds: number,
  mountTtl: EffectiveTtl,
): Promise<RenewedToken> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await renewOnce(services, hash, incrementSeconds, mountTtl);
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT") || attempt === RACE_ATTEMPTS_MAX) throw error;
    }
  }
}

async function renewOnce(
  services: Services,
  hash: string,
  incrementSeconds: number,
  mountTtl: EffectiveTtl,
): Promise<RenewedToken> {
  const token = await readToken(services.barrier, hash);
  if (token === null || !isLive(token.record, services.clock.now())) throw badRequest("token not found");
  if (!token.record.renewable || token.record.expiresAt === null) throw badRequest("lease is not renewable");
  const terms = await termsOf(services, token, mountTtl);
  // The auth method may have taken its time.
  const now = services.clock.now();
  if (!isLive(token.record, now)) throw badRequest("token not found");
  const ttl = resolveTtl({ ...terms, incrementSeconds, now, issuedAt: token.record.createdAt });
  const record: TokenRecord = {
    ...token.record,
    expiresAt: endOf(now + ttl.seconds * 1000, token.record.createdAt, terms.explicitMaxTtlSeconds),
    renewedAt: now,
    periodSeconds: terms.periodSeconds,
  };
  await services.barrier.commit([putToken(hash, record, token.version)]);
  return { record, warnings: ttl.warnings };
}

/** Rounding to seconds must not carry a token past its explicit maximum. */
function endOf(expiresAt: number, createdAt: number, explicitMaxTtlSeconds: number): number {
  return explicitMaxTtlSeconds > 0
    ? Math.min(expiresAt, createdAt + explicitMaxTtlSeconds * 1000)
    : expiresAt;
}

async function termsOf(services: Services, token: StoredToken, mountTtl: EffectiveTtl): Promise<Terms> {
  const { record } = token;
  if (record.login !== null) return loginTerms(services, record, record.login);
  const own: Terms = {
    ttlSeconds: leaseSeconds(record),
    maxTtlSeconds: 0,
    periodSeconds: record.periodSeconds,
    explicitMaxTtlSeconds: record.explicitMaxTtlSeconds,
    mount: mountTtl,
  };
  if (record.role === null) return own;
  const found = await readRole(services.barrier, record.role);
  if (found === null) {
    throw badRequest(`original token role ${JSON.stringify(record.role)} could not be found, not renewing`);
  }
  return {
    ...own,
    // A period that the role gives is the role's to change; one that the request gave stays.
    periodSeconds: found.role.periodSeconds || record.periodSeconds,
    explicitMaxTtlSeconds: leastOf(record.explicitMaxTtlSeconds, found.role.explicitMaxTtlSeconds),
  };
}

async function loginTerms(
  services: Services,
  record: TokenRecord,
  login: NonNullable<TokenRecord["login"]>,
): Promise<Terms> {
  const entry = await services.mounts.byUuid(login.mountUuid);
  if (entry === null || entry.retired) throw badRequest("lease is not renewable");
  const { backend } = await services.mounts.load(entry);
  const grant = await backend.renewLogin?.(login.internal);
  if (grant === undefined || grant === null) throw badRequest("lease is not renewable");
  return {
    ttlSeconds: grant.ttlSeconds,
    maxTtlSeconds: grant.maxTtlSeconds,
    periodSeconds: grant.periodSeconds,
    explicitMaxTtlSeconds: leastOf(record.explicitMaxTtlSeconds, grant.explicitMaxTtlSeconds),
    mount: effectiveTtl(entry),
  };
}
