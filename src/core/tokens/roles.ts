import type { Barrier } from "../../barrier/port.ts";
import { badRequest, hasCode, VsecError } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../base/json.ts";
import { readCidrs } from "./bound-cidrs.ts";
import { namesUnder } from "./scan.ts";

export const ROLE_PREFIX = "token-role/";

export const TOKEN_TYPES = ["service", "batch", "default-service", "default-batch"] as const;

const RACE_ATTEMPTS_MAX = 20;
const PATH_SUFFIX = /^\w[\w\-.]+\w$/;
const PATH_SUFFIX_CHARS_MAX = 256;

/** A token role: on what terms others may make tokens. TTLs in seconds. */
export interface TokenRole {
  readonly v: 1;
  readonly allowedPolicies: readonly string[];
  readonly disallowedPolicies: readonly string[];
  readonly allowedPoliciesGlob: readonly string[];
  readonly disallowedPoliciesGlob: readonly string[];
  readonly allowedEntityAliases: readonly string[];
  readonly orphan: boolean;
  readonly renewable: boolean;
  readonly pathSuffix: string;
  readonly periodSeconds: number;
  readonly explicitMaxTtlSeconds: number;
  readonly boundCidrs: readonly string[];
  /** The same figures where they were given by their old names, which are shown under both. */
  readonly old: {
    readonly periodSeconds: number;
    readonly explicitMaxTtlSeconds: number;
    readonly boundCidrs: readonly string[];
  };
  /** One of {@link TOKEN_TYPES}. */
  readonly tokenType: string;
  readonly noDefaultPolicy: boolean;
  readonly numUses: number;
}

const NEW_ROLE: TokenRole = {
  v: 1,
  allowedPolicies: [],
  disallowedPolicies: [],
  allowedPoliciesGlob: [],
  disallowedPoliciesGlob: [],
  allowedEntityAliases: [],
  orphan: false,
  renewable: true,
  pathSuffix: "",
  periodSeconds: 0,
  explicitMaxTtlSeconds: 0,
  boundCidrs: [],
  old: { periodSeconds: 0, explicitMaxTtlSeconds: 0, boundCidrs: [] },
  tokenType: "default-service",
  noDefaultPolicy: false,
  numUses: 0,
};

/** A write to a role; what is not given stays. */
export interface RoleChange {
  readonly allowed_policies?: readonly string[];
  readonly disallowed_policies?: readonly string[];
  readonly allowed_policies_glob?: readonly string[];
  readonly disallowed_policies_glob?: readonly string[];
  readonly allowed_entity_aliases?: readonly string[];
  readonly orphan?: boolean;
  readonly renewable?: boolean;
  readonly path_suffix?: string;
  readonly period?: number;
  readonly token_period?: number;
  readonly explicit_max_ttl?: number;
  readonly token_explicit_max_ttl?: number;
  readonly bound_cidrs?: readonly string[];
  readonly token_bound_cidrs?: readonly string[];
  readonly token_type?: string;
  readonly token_no_default_policy?: boolean;
  readonly token_num_uses?: number;
}

/** Null: no such role. */
export async function readRole(
  barrier: Barrier,
  name: string,
): Promise<{ readonly role: TokenRole; readonly version: number } | null> {
  const entry = await barrier.get(ROLE_PREFIX + name);
  if (entry === null) return null;
  const value = parseJson(Buffer.from(entry.value).toString("utf8"));
  if (!isJsonObject(value) || value.v !== 1) {
    throw new VsecError("BARRIER_DAMAGED", "a token role is of a version that this vsec does not know");
  }
  return { role: value as unknown as TokenRole, version: entry.version };
}

/**
 * Makes or changes a role.
 * @returns Warnings about old names that were given beside the new ones.
 * @throws ApiError 400 with Vault's texts.
 */
export async function writeRole(
  barrier: Barrier,
  name: string,
  change: RoleChange,
): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt += 1) {
    const before = await readRole(barrier, name);
    const role = changed(before?.role ?? NEW_ROLE, change);
    const value = new TextEncoder().encode(JSON.stringify(role));
    try {
      await barrier.commit([{ op: "put", key: ROLE_PREFIX + name, value, expect: before?.version ?? 0 }]);
      return warningsOf(change);
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT") || attempt === RACE_ATTEMPTS_MAX) throw error;
    }
  }
}

export async function deleteRole(barrier: Barrier, name: string): Promise<void> {
  await barrier.commit([{ op: "delete", key: ROLE_PREFIX + name }]);
}

export function listRoles(barrier: Barrier): Promise<readonly string[]> {
  return namesUnder(barrier, ROLE_PREFIX);
}

function changed(before: TokenRole, change: RoleChange): TokenRole {
  const policies = (given: readonly string[] | undefined, present: readonly string[]) =>
    given === undefined ? present : normalizedList(given);
  const period = renamed(
    before.periodSeconds,
    before.old.periodSeconds,
    change.token_period,
    change.period,
    0,
  );
  const max = renamed(
    before.explicitMaxTtlSeconds,
    before.old.explicitMaxTtlSeconds,
    change.token_explicit_max_ttl,
    change.explicit_max_ttl,
    0,
  );
  const cidrs = renamed<readonly string[]>(
    before.boundCidrs,
    before.old.boundCidrs,
    change.token_bound_cidrs && readCidrs(change.token_bound_cidrs),
    change.bound_cidrs && readCidrs(change.bound_cidrs),
    [],
  );
  const role: TokenRole = {
    v: 1,
    allowedPolicies: policies(change.allowed_policies, before.allowedPolicies),
    disallowedPolicies: policies(change.disallowed_policies, before.disallowedPolicies),
    allowedPoliciesGlob: policies(change.allowed_policies_glob, before.allowedPoliciesGlob),
    disallowedPoliciesGlob: policies(change.disallowed_policies_glob, before.disallowedPoliciesGlob),
    allowedEntityAliases: policies(change.allowed_entity_aliases, before.allowedEntityAliases),
    orphan: change.orphan ?? before.orphan,
    renewable: change.renewable ?? before.renewable,
    pathSuffix: change.path_suffix ?? before.pathSuffix,
    periodSeconds: period.value,
    explicitMaxTtlSeconds: max.value,
    boundCidrs: cidrs.value,
    old: { periodSeconds: period.old, explicitMaxTtlSeconds: max.old, boundCidrs: cidrs.old },
    tokenType: change.token_type ?? before.tokenType,
    noDefaultPolicy: change.token_no_default_policy ?? before.noDefaultPolicy,
    numUses: change.token_num_uses ?? before.numUses,
  };
  check(role);
  return role;
}

/** A figure that can be given by two names: the new one wins, and clears what is shown under the old one. */
function renamed<T>(value: T, old: T, given: T | undefined, givenOld: T | undefined, none: T) {
  if (given !== undefined) return { value: given, old: none };
  if (givenOld !== undefined) return { value: givenOld, old: givenOld };
  return { value, old };
}

function normalizedList(names: readonly string[]): readonly string[] {
  const set = new Set(names.map((name) => name.trim().toLowerCase()).filter((name) => name !== ""));
  return [...set].sort();
}

function check(role: TokenRole): void {
  const suffix = role.pathSuffix;
  if (suffix !== "" && (!PATH_SUFFIX.test(suffix) || suffix.length > PATH_SUFFIX_CHARS_MAX)) {
    throw badRequest("given role path suffix contains invalid characters; must conform to \\w[\\w-.]+\\w");
  }
  if (role.numUses < 0) throw badRequest("'token_num_uses' cannot be negative");
  if (!TOKEN_TYPES.some((type) => type === role.tokenType)) {
    throw badRequest(`invalid 'token_type' value ${JSON.stringify(role.tokenType)}`);
  }
  if (role.tokenType !== "batch") return;
  const text = "'token_type' cannot be 'batch' when role is set to generate";
  if (!role.orphan) throw badRequest(`${text} non-orphan tokens`);
  if (role.periodSeconds > 0) throw badRequest(`${text} periodic tokens`);
  if (role.renewable) throw badRequest(`${text} renewable tokens`);
  if (role.explicitMaxTtlSeconds > 0) throw badRequest(`${text} tokens with an explicit max TTL`);
}

function warningsOf(change: RoleChange): readonly string[] {
  const pairs = [
    ["token_period", "period"],
    ["token_explicit_max_ttl", "explicit_max_ttl"],
    ["token_bound_cidrs", "bound_cidrs"],
  ] as const;
  return pairs
    .filter(([name, old]) => change[name] !== undefined && change[old] !== undefined)
    .map(
      ([name, old]) => `Both '${name}' and deprecated '${old}' value supplied, ignoring the deprecated value`,
    );
}

/** The data of a read. */
export function roleData(name: string, role: TokenRole): JsonObject {
  return {
    allowed_entity_aliases: role.allowedEntityAliases,
    allowed_policies: role.allowedPolicies,
    allowed_policies_glob: role.allowedPoliciesGlob,
    ...(role.old.boundCidrs.length > 0 ? { bound_cidrs: role.old.boundCidrs } : {}),
    disallowed_policies: role.disallowedPolicies,
    disallowed_policies_glob: role.disallowedPoliciesGlob,
    explicit_max_ttl: role.old.explicitMaxTtlSeconds,
    name,
    orphan: role.orphan,
    path_suffix: role.pathSuffix,
    period: role.old.periodSeconds,
    renewable: role.renewable,
    token_bound_cidrs: role.boundCidrs,
    token_explicit_max_ttl: role.explicitMaxTtlSeconds,
    token_no_default_policy: role.noDefaultPolicy,
    token_num_uses: role.numUses,
    token_period: role.periodSeconds,
    token_type: role.tokenType,
  };
}
