import type { Json } from "../../base/json.ts";
import type { Operation } from "../../framework/backend.ts";

/** What a policy can grant on a path, in the order of their bits. `subscribe` and `recover` are kept and shown only. */
export const CAPABILITIES = [
  "create",
  "read",
  "update",
  "delete",
  "list",
  "patch",
  "sudo",
  "deny",
  "subscribe",
  "recover",
] as const;

export type Capability = (typeof CAPABILITIES)[number];

/** Values by lower-cased parameter name; an empty list stands for any value. A Map, because a parameter may have any name. */
export type ParameterValues = ReadonlyMap<string, readonly Json[]>;

/** What one stanza of a policy says, or several that were merged, about one pattern. */
export interface Rule {
  readonly capabilities: ReadonlySet<Capability>;
  /** Seconds, may be fractions; 0: no bound. */
  readonly minWrappingTtlSeconds: number;
  readonly maxWrappingTtlSeconds: number;
  readonly allowed: ParameterValues;
  readonly denied: ParameterValues;
  /** Lower-cased. */
  readonly required: ReadonlySet<string>;
}

/** A rule that grants nothing and binds nothing. */
export const NOTHING: Rule = Object.freeze({
  capabilities: new Set<Capability>(),
  minWrappingTtlSeconds: 0,
  maxWrappingTtlSeconds: 0,
  allowed: new Map(),
  denied: new Map(),
  required: new Set<string>(),
});

/** A rule that only denies: what else its stanza said is of no account. */
export const DENY: Rule = Object.freeze({ ...NOTHING, capabilities: new Set<Capability>(["deny"]) });

/** The capability that an operation needs; null: none. @see reference: checks after the rule is found. */
export function capabilityFor(operation: Operation): Capability | null {
  return operation === "help" ? null : operation;
}

/**
 * Two rules for the same pattern as one: capabilities united, any deny erases everything else, the lesser wrapping bounds,
 * parameters by name.
 * @see reference: choosing the rule, merging.
 */
export function mergeRules(one: Rule, other: Rule): Rule {
  if (one.capabilities.has("deny") || other.capabilities.has("deny")) return DENY;
  return {
    capabilities: new Set([...one.capabilities, ...other.capabilities]),
    minWrappingTtlSeconds: lesserSet(one.minWrappingTtlSeconds, other.minWrappingTtlSeconds),
    maxWrappingTtlSeconds: lesserSet(one.maxWrappingTtlSeconds, other.maxWrappingTtlSeconds),
    allowed: mergeParameters(one.allowed, other.allowed),
    denied: mergeParameters(one.denied, other.denied),
    required: new Set([...one.required, ...other.required]),
  };
}

/** The lesser of two bounds, where 0 is none. */
function lesserSet(one: number, other: number): number {
  if (one === 0 || other === 0) return one + other;
  return Math.min(one, other);
}

/** Lists of the same name are joined, and an empty one, which takes any value, wins. */
function mergeParameters(one: ParameterValues, other: ParameterValues): ParameterValues {
  if (other.size === 0) return one;
  if (one.size === 0) return other;
  const merged = new Map(one);
  for (const [name, values] of other) {
    const present = merged.get(name);
    const isAny = values.length === 0 || present?.length === 0;
    merged.set(name, isAny ? [] : [...(present ?? []), ...values]);
  }
  return merged;
}
