import type { Barrier } from "../../barrier/port.ts";
import { ApiError, aggregate, VsecError } from "../../base/errors.ts";
import { HclError } from "../../base/hcl/error.ts";
import type { Services } from "../services.ts";
import { Acl, type NamedPolicy } from "./acl.ts";
import { BoundedCache } from "./bounded-cache.ts";
import type { IdentityView } from "./identity-view.ts";
import { type Policy, parsePolicy, type Stanza } from "./parse.ts";
import { policyName, readPolicy, type StoredPolicy } from "./store.ts";
import { fillTemplate } from "./template.ts";

/** What a store's policies were compiled into. */
interface Compiled {
  /** By name; good for one version of the text. */
  readonly policies: BoundedCache<{ readonly version: number; readonly policy: Policy }>;
  /** By the names and versions of the policies, and by the caller's identity where a policy depends on it. */
  readonly acls: BoundedCache<Acl>;
}

/** Patterns that are kept compiled. */
const CACHED_PATTERNS_MAX = 400_000;
/** What an entry weighs besides its patterns. */
const ENTRY_WEIGHT = 16;

/** One for each open store: versions are a store's own. */
const caches = new WeakMap<Barrier, Compiled>();

/**
 * What the holder of these policies may do. Every policy is looked up afresh, so that a change holds from the next request
 * on, in every process; compiling is done once for each state of them. Names that no policy has grant nothing.
 * @param policyNames - The token's and its entity's.
 * @param identity - For templates. Null: blocks with templates are dropped.
 * @throws ApiError 500 when `root` is one of several names; BARRIER_DAMAGED when a policy cannot be understood: to leave it
 *   out could lift a deny.
 */
export async function aclFor(
  services: Pick<Services, "barrier">,
  policyNames: readonly string[],
  identity: IdentityView | null,
): Promise<Acl> {
  const names = [...new Set(policyNames.map(policyName))].filter((name) => name !== "").sort();
  if (names.includes("root")) {
    if (names.length > 1) throw new ApiError(500, aggregate("other policies present along with root"));
    return Acl.root();
  }
  const { barrier } = services;
  const found = await Promise.all(names.map((name) => readPolicy(barrier, name)));
  const compiled = compiledOf(barrier);
  const policies = found
    .filter((stored) => stored !== null)
    .map((stored) => ({ stored, policy: understand(compiled, stored) }));
  const isTemplated = policies.some(({ policy }) => policy.isTemplated);
  const key = JSON.stringify([
    policies.map(({ stored }) => [stored.name, stored.version]),
    isTemplated ? identity : null,
  ]);
  const known = compiled.acls.get(key);
  if (known !== undefined) return known;
  const acl = Acl.of(policies.map(({ stored, policy }) => fill(stored.name, policy, identity)));
  compiled.acls.set(key, acl);
  return acl;
}

function compiledOf(barrier: Barrier): Compiled {
  let compiled = caches.get(barrier);
  if (compiled === undefined) {
    compiled = {
      policies: new BoundedCache(CACHED_PATTERNS_MAX, ({ policy }) => ENTRY_WEIGHT + policy.stanzas.length),
      acls: new BoundedCache(CACHED_PATTERNS_MAX, (acl) => ENTRY_WEIGHT + acl.size),
    };
    caches.set(barrier, compiled);
  }
  return compiled;
}

function understand({ policies }: Compiled, { name, text, version }: StoredPolicy): Policy {
  const known = policies.get(name);
  if (known?.version === version) return known.policy;
  try {
    const policy = parsePolicy(text);
    policies.set(name, { version, policy });
    return policy;
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    const text = `the stored policy ${JSON.stringify(name)} cannot be understood: ${error.message}; write it anew`;
    throw new VsecError("BARRIER_DAMAGED", text, { cause: error });
  }
}

/** The policy as it holds for this caller. A block whose template cannot be resolved is dropped. */
function fill(name: string, policy: Policy, identity: IdentityView | null): NamedPolicy {
  if (!policy.isTemplated) return { name, stanzas: policy.stanzas };
  const stanzas = policy.stanzas.flatMap((stanza): Stanza[] => {
    if (!stanza.isTemplated) return [stanza];
    const pattern = fillTemplate(stanza.pattern, identity);
    return pattern === null ? [] : [{ ...stanza, pattern, isTemplated: false }];
  });
  return { name, stanzas };
}
