import { parseCidr } from "../base/cidr.ts";
import { badRequest } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import { type LoginGrant, ROLE_TOKEN_TYPES, type RoleTokenType } from "./auth.ts";
import { field, type Given } from "./field.ts";

/** The terms of the tokens that a role or user gets: what every auth method's roles have in common. */
export interface TokenTerms {
  readonly ttlSeconds: number;
  readonly maxTtlSeconds: number;
  readonly explicitMaxTtlSeconds: number;
  readonly periodSeconds: number;
  readonly policies: readonly string[];
  readonly boundCidrs: readonly string[];
  readonly numUses: number;
  readonly noDefaultPolicy: boolean;
  readonly tokenType: RoleTokenType;
}

/** The fields of {@link TokenTerms}. @see reference: auth methods, common role fields. */
export const TOKEN_FIELDS = {
  token_ttl: field.signedDuration({ description: "The TTL of its tokens; 0 for the mount's." }),
  token_max_ttl: field.signedDuration({
    description: "The longest that its tokens can be renewed to; 0 for the mount's.",
  }),
  token_explicit_max_ttl: field.duration({
    description: "A limit on the life of its tokens that also binds periodic ones; 0 for none.",
  }),
  token_period: field.signedDuration({
    description: "Makes its tokens periodic: each renewal sets the TTL to this; 0 for not.",
  }),
  token_policies: field.commaStringList({ description: "The policies of its tokens." }),
  token_bound_cidrs: field.commaStringList({
    description: "Addresses and blocks that logins, and the use of its tokens, must come from.",
  }),
  token_num_uses: field.int({ description: "How often each of its tokens can be used; 0 for any number." }),
  token_no_default_policy: field.bool({ description: "Leaves the default policy off its tokens." }),
  token_type: field.string({
    description: "The type of its tokens.",
    default: "default-service",
    allowed: ROLE_TOKEN_TYPES,
  }),
};

type TokenGiven = Given<typeof TOKEN_FIELDS>;

const NONE: TokenTerms = {
  ttlSeconds: 0,
  maxTtlSeconds: 0,
  explicitMaxTtlSeconds: 0,
  periodSeconds: 0,
  policies: [],
  boundCidrs: [],
  numUses: 0,
  noDefaultPolicy: false,
  tokenType: "default",
};

const CIDRS_MAX = 256;
const POLICIES_MAX = 256;
const POLICY_CHARS_MAX = 512;

/**
 * The terms after a write that leaves alone what it was not given.
 * @param old - Null: the role is new.
 * @throws ApiError 400 with Vault's texts.
 */
export function mergeTokenTerms(old: TokenTerms | null, given: TokenGiven): TokenTerms {
  const base = old ?? NONE;
  const terms: TokenTerms = {
    ttlSeconds: given.token_ttl ?? base.ttlSeconds,
    maxTtlSeconds: given.token_max_ttl ?? base.maxTtlSeconds,
    explicitMaxTtlSeconds: given.token_explicit_max_ttl ?? base.explicitMaxTtlSeconds,
    periodSeconds: given.token_period ?? base.periodSeconds,
    policies: given.token_policies === undefined ? base.policies : policyNames(given.token_policies),
    boundCidrs: given.token_bound_cidrs === undefined ? base.boundCidrs : boundCidrs(given.token_bound_cidrs),
    numUses: given.token_num_uses ?? base.numUses,
    noDefaultPolicy: given.token_no_default_policy ?? base.noDefaultPolicy,
    tokenType: given.token_type === undefined ? base.tokenType : tokenType(given.token_type),
  };
  check(terms);
  return terms;
}

function check(terms: TokenTerms): void {
  if (terms.periodSeconds < 0) throw badRequest("'token_period' cannot be negative");
  if (terms.ttlSeconds < 0) throw badRequest("'token_ttl' cannot be negative");
  if (terms.maxTtlSeconds < 0) throw badRequest("'token_max_ttl' cannot be negative");
  if (terms.maxTtlSeconds > 0 && terms.ttlSeconds > terms.maxTtlSeconds) {
    throw badRequest("'token_ttl' cannot be greater than 'token_max_ttl'");
  }
  if (terms.numUses < 0) throw badRequest("'token_num_uses' cannot be negative");
  if (terms.tokenType !== "batch" && terms.tokenType !== "default-batch") return;
  const text = "'token_type' cannot be 'batch' or 'default_batch' when set to generate";
  if (terms.periodSeconds > 0) throw badRequest(`${text} periodic tokens`);
  if (terms.numUses > 0) throw badRequest(`${text} tokens with limited use count`);
}

function tokenType(text: string): RoleTokenType {
  const type = ROLE_TOKEN_TYPES.find((candidate) => candidate === text);
  if (type === undefined) throw badRequest(`invalid 'token_type' value ${JSON.stringify(text)}`);
  return type === "" ? "default" : type;
}

/** Policy names in their one form: trimmed, lower-cased, sorted, each once. @throws ApiError 400 above the limits. */
export function policyNames(names: readonly string[]): readonly string[] {
  const clean = names.map((name) => name.trim().toLowerCase()).filter((name) => name !== "");
  if (clean.length > POLICIES_MAX || clean.some((name) => name.length > POLICY_CHARS_MAX)) {
    throw badRequest(
      `more than ${POLICIES_MAX} policies, or a name of more than ${POLICY_CHARS_MAX} characters`,
    );
  }
  return [...new Set(clean)].sort();
}

/** @throws ApiError 400 when one of the texts is neither an address nor a block, or there are too many. */
export function boundCidrs(texts: readonly string[]): readonly string[] {
  const given = texts.filter((text) => text !== "");
  if (given.length > CIDRS_MAX) throw badRequest(`more than ${CIDRS_MAX} bound CIDR blocks`);
  for (const text of given) {
    if (parseCidr(text) === null) {
      throw badRequest(`unable to convert ${JSON.stringify(text.slice(0, 64))} to an address or CIDR block`);
    }
  }
  return given;
}

/** The terms as a role shows them. */
export function describeTokenTerms(terms: TokenTerms): JsonObject {
  return {
    token_bound_cidrs: terms.boundCidrs,
    token_explicit_max_ttl: terms.explicitMaxTtlSeconds,
    token_max_ttl: terms.maxTtlSeconds,
    token_no_default_policy: terms.noDefaultPolicy,
    token_num_uses: terms.numUses,
    token_period: terms.periodSeconds,
    token_policies: terms.policies,
    token_ttl: terms.ttlSeconds,
    token_type: terms.tokenType,
  };
}

/** The part of a grant that the terms decide. */
export function grantOf(
  terms: TokenTerms,
): Omit<LoginGrant, "displayName" | "alias" | "groupAliases" | "metadata" | "internal"> {
  return {
    policies: terms.policies,
    ttlSeconds: terms.ttlSeconds,
    maxTtlSeconds: terms.maxTtlSeconds,
    explicitMaxTtlSeconds: terms.explicitMaxTtlSeconds,
    periodSeconds: terms.periodSeconds,
    numUses: terms.numUses,
    boundCidrs: terms.boundCidrs,
    noDefaultPolicy: terms.noDefaultPolicy,
    tokenType: terms.tokenType,
    renewable: true,
  };
}
