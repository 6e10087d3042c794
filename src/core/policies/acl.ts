import type { JsonObject } from "../../base/json.ts";
import type { Operation } from "../../framework/backend.ts";
import { allowsParameters } from "./parameters.ts";
import type { Policy } from "./parse.ts";
import { PatternIndex } from "./pattern-index.ts";
import { reachesMount } from "./reach.ts";
import { CAPABILITIES, type Capability, capabilityFor, mergeRules, type Rule } from "./rule.ts";

/** What is asked of an ACL. */
export interface AclRequest {
  readonly operation: Operation;
  /** Mount included, without leading slash; a list's ends with one. */
  readonly path: string;
  /** The body or query, as the caller gave it. */
  readonly data: JsonObject;
  /** How long the caller wants the answer wrapped; 0: not at all. */
  readonly wrapTtlSeconds: number;
  /** True where the path needs sudo besides the operation's own capability. */
  readonly sudoPath: boolean;
}

export interface AclDecision {
  readonly allowed: boolean;
  /** True when the rule for the path has sudo, which some handlers ask for. */
  readonly sudo: boolean;
  /** The policies that grant the operation; empty when it is refused. */
  readonly grantingPolicies: readonly string[];
}

/** A policy whose templates are filled in. */
export interface NamedPolicy {
  readonly name: string;
  readonly stanzas: Policy["stanzas"];
}

/** The merged rule for one pattern. Changed only while the ACL is being made. */
interface Entry {
  rule: Rule;
  /** Which policies grant a capability. */
  readonly grants: Map<Capability, string[]>;
}

const REFUSED: AclDecision = Object.freeze({ allowed: false, sudo: false, grantingPolicies: [] });

/**
 * What the holder of some policies may do. Rules for the same pattern are merged; for a path, one pattern decides.
 * @see reference: policies.
 */
export class Acl {
  /** True for the ACL of the policy `root`, which allows everything. */
  readonly isRoot: boolean;
  readonly #index: PatternIndex<Entry>;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(isRoot: boolean, entries: ReadonlyMap<string, Entry>) {
    this.isRoot = isRoot;
    this.#entries = entries;
    this.#index = new PatternIndex(entries);
  }

  static root(): Acl {
    return new Acl(true, new Map());
  }

  static of(policies: readonly NamedPolicy[]): Acl {
    const entries = new Map<string, Entry>();
    for (const { name, stanzas } of policies) {
      for (const { pattern, rule } of stanzas) {
        const present = entries.get(pattern);
        if (present === undefined) entries.set(pattern, addGrants({ rule, grants: new Map() }, name, rule));
        else addGrants(present, name, rule).rule = mergeRules(present.rule, rule);
      }
    }
    return new Acl(false, entries);
  }

  /** How many patterns it knows. */
  get size(): number {
    return this.#entries.size;
  }

  /** Decides about a request. Help is always allowed. */
  check(request: AclRequest): AclDecision {
    if (this.isRoot) return { allowed: true, sudo: true, grantingPolicies: ["root"] };
    const entry = this.#find(request.path, request.operation === "list");
    const sudo = entry?.rule.capabilities.has("sudo") ?? false;
    const needed = capabilityFor(request.operation);
    if (needed === null) return { allowed: true, sudo, grantingPolicies: [] };
    if (entry === undefined) return REFUSED;
    const isAllowed =
      entry.rule.capabilities.has(needed) &&
      (sudo || !request.sudoPath) &&
      allowsWrapping(entry.rule, request.wrapTtlSeconds) &&
      (!hasParameters(request.operation) || allowsParameters(entry.rule, request.data));
    if (!isAllowed) return { ...REFUSED, sudo };
    return { allowed: true, sudo, grantingPolicies: entry.grants.get(needed) ?? [] };
  }

  /**
   * What may be done with a path, sorted: `["root"]` for root, `["deny"]` for nothing. A path that only a list reaches
   * (`a` for the pattern `a/`) is shown as a list sees it.
   */
  capabilities(path: string): string[] {
    if (this.isRoot) return ["root"];
    return namesOf(this.#find(path, true)?.rule);
  }

  /** Whether it allows anything at all at or below a mount. @param mountPath - With its trailing slash. */
  reaches(mountPath: string): boolean {
    if (this.isRoot) return true;
    return [...this.#entries].some(
      ([pattern, { rule }]) => !namesOf(rule).includes("deny") && reachesMount(pattern, mountPath),
    );
  }

  /** All it knows, as `sys/internal/ui/resultant-acl` shows it. */
  describe(): JsonObject {
    if (this.isRoot) return { root: true, exact_paths: {}, glob_paths: {} };
    const exact: [string, JsonObject][] = [];
    const glob: [string, JsonObject][] = [];
    for (const [pattern, { rule }] of this.#entries) {
      const hasPlus = pattern.split("/").includes("+");
      if (hasPlus) glob.push([pattern, describeRule(rule)]);
      else if (pattern.endsWith("*")) glob.push([pattern.slice(0, -1), describeRule(rule)]);
      else exact.push([pattern, describeRule(rule)]);
    }
    // Defines own properties only, whatever the patterns are.
    return { root: false, exact_paths: Object.fromEntries(exact), glob_paths: Object.fromEntries(glob) };
  }

  /** The one entry that decides. @see reference: choosing the rule. */
  #find(path: string, isList: boolean): Entry | undefined {
    const bare = isList && path.endsWith("/") ? path.slice(0, -1) : undefined;
    return (
      this.#index.exact(path) ??
      (bare === undefined ? undefined : this.#index.exact(bare)) ??
      this.#index.best(path) ??
      (bare === undefined ? undefined : this.#index.best(bare))
    );
  }
}

/** Notes which capabilities a policy's rule grants. Policies come one after the other, so a repetition is the last name. */
function addGrants(entry: Entry, policy: string, rule: Rule): Entry {
  for (const capability of rule.capabilities) {
    const names = entry.grants.get(capability);
    if (names === undefined) entry.grants.set(capability, [policy]);
    else if (names.at(-1) !== policy) names.push(policy);
  }
  return entry;
}

/** The operations that bring parameters which a rule can bind. */
function hasParameters(operation: Operation): boolean {
  return operation === "read" || operation === "create" || operation === "update" || operation === "patch";
}

/** A bound means that the answer has to be wrapped; merged bounds that contradict each other allow nothing. */
function allowsWrapping(rule: Rule, wrapTtlSeconds: number): boolean {
  const { minWrappingTtlSeconds: min, maxWrappingTtlSeconds: max } = rule;
  if (min === 0 && max === 0) return true;
  return wrapTtlSeconds > 0 && wrapTtlSeconds >= min && (max === 0 || wrapTtlSeconds <= max);
}

function namesOf(rule: Rule | undefined): string[] {
  if (rule === undefined || rule.capabilities.size === 0 || rule.capabilities.has("deny")) return ["deny"];
  return CAPABILITIES.filter((name) => rule.capabilities.has(name)).sort();
}

function describeRule(rule: Rule): JsonObject {
  const { minWrappingTtlSeconds: min, maxWrappingTtlSeconds: max, allowed, denied, required } = rule;
  return {
    capabilities: namesOf(rule),
    ...(min > 0 ? { min_wrapping_ttl: Math.trunc(min) } : {}),
    ...(max > 0 ? { max_wrapping_ttl: Math.trunc(max) } : {}),
    ...(allowed.size > 0 ? { allowed_parameters: Object.fromEntries(allowed) } : {}),
    ...(denied.size > 0 ? { denied_parameters: Object.fromEntries(denied) } : {}),
    ...(required.size > 0 ? { required_parameters: [...required] } : {}),
  };
}
