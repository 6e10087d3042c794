import { ApiError, aggregate } from "../base/errors.ts";
import type { EntityStanding } from "./identity/login.ts";
import { Acl } from "./policies/acl.ts";
import type { IdentityView } from "./policies/identity-view.ts";
import type { Services } from "./services.ts";
import type { Caller } from "./tokens/caller.ts";
import type { TokenRecord } from "./tokens/record.ts";

/** Who asks, and what they may. */
export interface Standing {
  readonly caller: Caller;
  readonly acl: Acl;
  /** Policies that come from the caller's entity. */
  readonly identityPolicies: readonly string[];
}

/**
 * What a caller may, by its token's policies and its entity's.
 * @throws ApiError 403 for a caller whose entity is disabled or gone.
 */
export async function standingFor(services: Services, caller: Caller): Promise<Standing> {
  const { policies, entityId } = caller.record;
  // The root token's way: no policy has to be read.
  if (policies.includes("root") && policies.length === 1 && entityId === "") {
    return { caller, acl: Acl.root(), identityPolicies: [] };
  }
  if (entityId === "") return { caller, acl: await compile(services, policies, null), identityPolicies: [] };
  const entity = await entityOf(services, entityId);
  if (entity === null || entity.disabled) throw new ApiError(403, aggregate("permission denied"));
  const acl = await compile(services, [...policies, ...entity.policies], entity.view);
  return { caller, acl, identityPolicies: entity.policies };
}

/** The ACL of a token that somebody asks about. */
export async function aclOfToken(services: Services, { policies, entityId }: TokenRecord): Promise<Acl> {
  const entity = entityId === "" ? null : await entityOf(services, entityId);
  return compile(services, [...policies, ...(entity?.policies ?? [])], entity?.view ?? null);
}

// Both are loaded when somebody other than root asks: a cold command feels every module.

async function compile(
  services: Services,
  names: readonly string[],
  view: IdentityView | null,
): Promise<Acl> {
  const { aclFor } = await import("./policies/acl-for.ts");
  return aclFor(services, names, view);
}

async function entityOf(services: Services, entityId: string): Promise<EntityStanding | null> {
  const { standingOf } = await import("./identity/login.ts");
  return standingOf(services, entityId);
}
