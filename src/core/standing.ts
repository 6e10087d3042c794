import { ApiError, aggregate } from "../base/errors.ts";
import { standingOf } from "./identity/login.ts";
import { Acl } from "./policies/acl.ts";
import { aclFor } from "./policies/acl-for.ts";
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
  if (entityId === "") return { caller, acl: await aclFor(services, policies, null), identityPolicies: [] };
  const entity = await standingOf(services, entityId);
  if (entity === null || entity.disabled) throw new ApiError(403, aggregate("permission denied"));
  const acl = await aclFor(services, [...policies, ...entity.policies], entity.view);
  return { caller, acl, identityPolicies: entity.policies };
}

/** The ACL of a token that somebody asks about. */
export async function aclOfToken(services: Services, record: TokenRecord): Promise<Acl> {
  if (record.entityId === "") return aclFor(services, record.policies, null);
  const entity = await standingOf(services, record.entityId);
  return aclFor(services, [...record.policies, ...(entity?.policies ?? [])], entity?.view ?? null);
}
