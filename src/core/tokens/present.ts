import type { Json, JsonObject } from "../../base/json.ts";
import type { TokenRecord } from "./record.ts";

/** What the `auth` of an answer is made of. */
export interface PresentedToken {
  /** Empty where the token itself is not to be shown. */
  readonly id: string;
  readonly record: TokenRecord;
}

/**
 * The envelope's `auth`.
 * @param identityPolicies - Those that the token's entity gives.
 * @see reference: response envelope.
 */
export function authBlock(
  { id, record }: PresentedToken,
  identityPolicies: readonly string[] = [],
): JsonObject {
  return {
    client_token: id,
    accessor: record.accessor,
    policies: [...new Set([...record.policies, ...identityPolicies])].sort(),
    ...(record.policies.length > 0 ? { token_policies: record.policies } : {}),
    ...(identityPolicies.length > 0 ? { identity_policies: [...identityPolicies].sort() } : {}),
    metadata: record.meta,
    lease_duration: leaseSeconds(record),
    renewable: record.renewable,
    entity_id: record.entityId,
    token_type: record.type,
    orphan: record.parentHash === null,
    mfa_requirement: null,
    num_uses: record.numUses,
  };
}

/** The TTL that the token was last given; 0: it never expires. */
export function leaseSeconds({ createdAt, renewedAt, expiresAt }: TokenRecord): number {
  return expiresAt === null ? 0 : Math.round((expiresAt - (renewedAt ?? createdAt)) / 1000);
}

/**
 * The data of a lookup.
 * @param id - As it is shown; empty when it was looked up by its accessor.
 * @see reference: token lookup data.
 */
export function lookupData(
  id: string,
  record: TokenRecord,
  now: number,
  identityPolicies: readonly string[] = [],
): JsonObject {
  const { expiresAt, renewedAt } = record;
  const data: Record<string, Json> = {
    accessor: record.accessor,
    creation_time: seconds(record.createdAt),
    creation_ttl: record.ttlSeconds,
    display_name: record.displayName,
    entity_id: record.entityId,
    expire_time: expiresAt === null ? null : rfc3339(expiresAt),
    explicit_max_ttl: record.explicitMaxTtlSeconds,
    id,
    meta: record.meta,
    num_uses: record.numUses,
    orphan: record.parentHash === null,
    path: record.path,
    policies: record.policies,
    ttl: expiresAt === null ? 0 : Math.max(0, Math.round((expiresAt - now) / 1000)),
    type: record.type,
  };
  if (expiresAt !== null) {
    data.issue_time = rfc3339(record.createdAt);
    data.renewable = record.renewable;
  }
  if (renewedAt !== null) {
    data.last_renewal = rfc3339(renewedAt);
    data.last_renewal_time = seconds(renewedAt);
  }
  if (record.role !== null) data.role = record.role;
  if (record.periodSeconds > 0) data.period = record.periodSeconds;
  if (record.boundCidrs.length > 0) data.bound_cidrs = record.boundCidrs;
  if (identityPolicies.length > 0) data.identity_policies = [...identityPolicies].sort();
  return data;
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}
