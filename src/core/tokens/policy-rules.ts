import { badRequest } from "../../base/errors.ts";
import { matchesGlob } from "../../base/glob.ts";
import type { TokenRole } from "./roles.ts";

/** Policies that nobody can hand out: vsec gives them itself. */
const NON_ASSIGNABLE = ["response-wrapping"];

/**
 * Brings policy names into their one form: lower case, trimmed, sorted, each once. The root policy makes all others moot.
 * @see reference: policy rules at creation.
 */
export function normalizePolicies(names: readonly string[], addDefault: boolean): readonly string[] {
  const set = new Set(names.map((name) => name.trim().toLowerCase()).filter((name) => name !== ""));
  if (set.has("root")) return ["root"];
  if (addDefault) set.add("default");
  return [...set].sort();
}

export interface PolicyRequest {
  readonly requested: readonly string[];
  readonly parent: readonly string[];
  readonly role: TokenRole | null;
  /** Whether the caller has sudo on the path. */
  readonly sudo: boolean;
  readonly noDefaultPolicy: boolean;
}

/**
 * The policies that a new token gets.
 * @throws ApiError 400 when the role or the parent does not allow them.
 * @see reference: policy rules at creation.
 */
export function policiesFor(request: PolicyRequest): readonly string[] {
  const { requested, parent, role, sudo, noDefaultPolicy } = request;
  if (role !== null && hasRules(role)) return byRole(request, role);
  if (requested.length === 0) return normalizePolicies(parent, false);
  if (sudo) return normalizePolicies(requested, !noDefaultPolicy);
  const wanted = normalizePolicies(requested, false);
  const held = normalizePolicies(parent, false);
  if (!held.includes("root") && wanted.some((name) => !held.includes(name))) {
    throw badRequest("child policies must be subset of parent");
  }
  return normalizePolicies(wanted, !noDefaultPolicy && held.includes("default"));
}

function hasRules(role: TokenRole): boolean {
  const lists = [
    role.allowedPolicies,
    role.allowedPoliciesGlob,
    role.disallowedPolicies,
    role.disallowedPoliciesGlob,
  ];
  return lists.some((list) => list.length > 0);
}

function byRole({ requested, parent, noDefaultPolicy }: PolicyRequest, role: TokenRole): readonly string[] {
  const isDenied = (name: string): boolean =>
    role.disallowedPolicies.includes(name) || matchesAny(role.disallowedPoliciesGlob, name);
  const addDefault = !noDefaultPolicy && !role.noDefaultPolicy && !isDenied("default");
  const isRestricted = role.allowedPolicies.length > 0 || role.allowedPoliciesGlob.length > 0;
  const basis = requested.length > 0 ? requested : isRestricted ? role.allowedPolicies : parent;
  const policies = normalizePolicies(basis, addDefault);
  if (isRestricted && requested.length > 0) requireAllowed(policies, role, addDefault);
  const denied = policies.find(isDenied);
  if (denied !== undefined)
    throw badRequest(`token policy ${JSON.stringify(denied)} is disallowed by this role`);
  return policies;
}

function requireAllowed(policies: readonly string[], role: TokenRole, addsDefault: boolean): void {
  const allowed = normalizePolicies(role.allowedPolicies, addsDefault);
  if (policies.every((name) => allowed.includes(name) || matchesAny(role.allowedPoliciesGlob, name))) return;
  throw badRequest(
    `token policies (${quoted(policies)}) must be subset of the role's allowed policies (${quoted(allowed)}) ` +
      `or glob policies (${quoted(role.allowedPoliciesGlob)})`,
  );
}

/** As Go prints a list of strings: `["a" "b"]`. */
function quoted(names: readonly string[]): string {
  return `[${names.map((name) => JSON.stringify(name)).join(" ")}]`;
}

/**
 * What holds whoever asks, and however.
 * @throws ApiError 400.
 */
export function checkPolicies(
  policies: readonly string[],
  terms: {
    readonly parentIsRoot: boolean;
    readonly isBatch: boolean;
    readonly wantsNoExpiry: boolean;
    readonly parentExpires: boolean;
  },
): void {
  if (policies.includes("root")) {
    if (!terms.parentIsRoot)
      throw badRequest("root tokens may not be created without parent token being root");
    if (terms.isBatch) throw badRequest("batch tokens cannot be root tokens");
    if (terms.parentExpires && terms.wantsNoExpiry) {
      throw badRequest("expiring root tokens cannot create non-expiring root tokens");
    }
  }
  const reserved = policies.find((name) => NON_ASSIGNABLE.includes(name));
  if (reserved !== undefined) throw badRequest(`cannot assign policy ${JSON.stringify(reserved)}`);
}

export function matchesAny(globs: readonly string[], text: string): boolean {
  return globs.some((glob) => matchesGlob(glob, text));
}
