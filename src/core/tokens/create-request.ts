import { badRequest } from "../../base/errors.ts";
import type { EffectiveTtl } from "../mounts/mounts.ts";
import type { Services } from "../services.ts";
import type { Caller } from "./caller.ts";
import { type CreatedToken, createToken, DUPLICATE_ID, NO_PARENT, type TokenSpec } from "./create.ts";
import {
  type CreateParams,
  checkBatchParams,
  checkCustomId,
  displayNameOf,
  type GivenTtls,
  metaOf,
  readTtls,
  refuseForBatch,
  wantsNoExpiry,
} from "./create-params.ts";
import type { TokenIdentity } from "./identity.ts";
import { checkPolicies, matchesAny, policiesFor } from "./policy-rules.ts";
import { isLive, type TokenType } from "./record.ts";
import { readRole, type TokenRole } from "./roles.ts";
import { readToken, tokenHash } from "./store.ts";

/** A request for a new token. */
export interface CreateRequest {
  readonly caller: Caller;
  readonly params: CreateParams;
  /** The request's whole path. */
  readonly path: string;
  readonly roleName: string | null;
  /** Asked for by the path itself, which its policy rule stands for. */
  readonly orphan: boolean;
  /** Whether the caller has sudo on the path. */
  readonly sudo: boolean;
  readonly mountTtl: EffectiveTtl;
}

/** A request with its role read and its type settled. */
interface Settled extends CreateRequest {
  readonly role: TokenRole | null;
  readonly type: TokenType;
}

/**
 * Makes a token as a request wants it, with the checks in Vault's order.
 * @throws ApiError 400 with Vault's texts.
 * @see reference: tokens, create.
 */
export async function createByRequest(
  services: Services,
  identity: TokenIdentity,
  request: CreateRequest,
): Promise<CreatedToken> {
  await checkParent(services, request.caller);
  const role = await roleOf(services, request);
  const settled: Settled = { ...request, role, type: typeOf(request.params, role) };
  checkUses(settled);
  checkAlias(settled);
  await checkId(services, settled);
  const policies = settlePolicies(settled);
  const orphan = isOrphan(settled);
  const ttls = readTtls(settled.params);
  if (ttls.periodSeconds > 0 && !settled.sudo) {
    throw badRequest("root or sudo privileges required to create periodic token");
  }
  const { figures, warnings } = withRole(ttls, settled);
  const created = await createToken(services, {
    ...figures,
    ...bounds(settled, orphan),
    policies,
    parent: orphan ? null : settled.caller,
    entityId: await entityOf(identity, settled, orphan),
  });
  return {
    ...created,
    warnings: [...warnings, ...created.warnings, ...(await unknownPolicies(services, policies))],
  };
}

async function checkParent({ barrier, clock }: Services, caller: Caller): Promise<void> {
  if (caller.batch) throw badRequest("batch tokens cannot create more tokens");
  const present = await readToken(barrier, caller.tokenHash);
  const isLastUse = present?.record.creationNumUses !== 0 && present?.record.state === "revoking";
  if (present === null || (!isLive(present.record, clock.now()) && !isLastUse)) throw badRequest(NO_PARENT);
  if (caller.record.creationNumUses > 0) {
    throw badRequest("restricted use token cannot generate child tokens");
  }
}

async function roleOf({ barrier }: Services, { roleName }: CreateRequest): Promise<TokenRole | null> {
  if (roleName === null) return null;
  const found = await readRole(barrier, roleName);
  if (found === null) throw badRequest(`unknown role ${roleName}`);
  return found.role;
}

function typeOf({ type }: CreateParams, role: TokenRole | null): TokenType {
  if (type !== "" && type !== "service" && type !== "batch") throw badRequest("invalid 'token_type' value");
  switch (role?.tokenType) {
    case undefined:
    case "default-service":
      return type || "service";
    case "default-batch":
      return type || "batch";
    case "service":
      return "service";
    case "batch":
      return "batch";
    default:
      throw badRequest(
        `role being used for token creation contains invalid token type ${JSON.stringify(role?.tokenType)}`,
      );
  }
}

function checkUses({ params, role, type }: Settled): void {
  if (type === "batch") {
    checkBatchParams(params);
    if (role !== null) {
      refuseForBatch("explicit_max_ttl", role.explicitMaxTtlSeconds);
      refuseForBatch("num_uses", role.numUses);
      refuseForBatch("period", role.periodSeconds);
    }
  }
  if (params.num_uses < 0) throw badRequest("number of uses cannot be negative");
}

function checkAlias({ params: { entity_alias: alias }, role }: Settled): void {
  if (alias === "") return;
  if (role === null) throw badRequest("'entity_alias' is only allowed in combination with token role");
  const allowed = role.allowedEntityAliases.map((name) => name.toLowerCase());
  if (!matchesAny(allowed, alias.toLowerCase())) throw badRequest("invalid 'entity_alias' value");
}

async function checkId({ barrier }: Services, { params: { id }, sudo }: Settled): Promise<void> {
  if (id === "") return;
  if (!sudo) throw badRequest("root or sudo privileges required to specify token id");
  checkCustomId(id);
  if ((await readToken(barrier, tokenHash(barrier, id))) !== null) throw badRequest(DUPLICATE_ID);
}

function settlePolicies({ caller, params, role, sudo, type }: Settled): readonly string[] {
  const parent = caller.record.policies;
  const noDefaultPolicy = params.no_default_policy || role?.noDefaultPolicy === true;
  const policies = policiesFor({ requested: params.policies, parent, role, sudo, noDefaultPolicy });
  checkPolicies(policies, {
    parentIsRoot: parent.includes("root"),
    isBatch: type === "batch",
    wantsNoExpiry: wantsNoExpiry(params) && !role?.periodSeconds && !role?.explicitMaxTtlSeconds,
    parentExpires: caller.record.expiresAt !== null,
  });
  return policies;
}

/** With a role its own word alone counts. */
function isOrphan({ params, role, sudo, orphan }: Settled): boolean {
  if (role !== null) return role.orphan;
  if (params.no_parent && !sudo) throw badRequest("root or sudo privileges required to create orphan token");
  return orphan || params.no_parent;
}

/** The figures of the request with the role's: of two, the lesser. */
function withRole(ttls: GivenTtls, { params, role }: Settled) {
  const warnings: string[] = [];
  const lesser = (name: string, given: number, ofRole: number): number => {
    if (given === 0 || ofRole === 0) return given || ofRole;
    const seconds = Math.min(given, ofRole);
    warnings.push(
      `${name} specified both during creation call and in role; using the lesser value of ${seconds} seconds`,
    );
    return seconds;
  };
  const figures = {
    ttlSeconds: ttls.ttlSeconds,
    explicitMaxTtlSeconds: lesser(
      "Explicit max TTL",
      ttls.explicitMaxTtlSeconds,
      role?.explicitMaxTtlSeconds ?? 0,
    ),
    periodSeconds: lesser("Period", ttls.periodSeconds, role?.periodSeconds ?? 0),
    numUses: leastOf(params.num_uses, role?.numUses ?? 0),
  };
  if (params.id !== "") {
    warnings.push(
      "A custom token ID is only as hard to guess as whoever chose it made it; prefer one that is generated.",
    );
  }
  return { figures, warnings };
}

/** The lesser of two figures of which 0 means none. */
export function leastOf(one: number, other: number): number {
  return one === 0 || other === 0 ? one || other : Math.min(one, other);
}

function bounds(
  settled: Settled,
  orphan: boolean,
): Omit<TokenSpec, keyof GivenTtls | "numUses" | "policies" | "parent" | "entityId"> {
  const { params, role, roleName, caller, type } = settled;
  const inherited = orphan ? [] : caller.record.boundCidrs;
  return {
    type,
    ...(params.id === "" ? {} : { id: params.id }),
    renewable: params.renewable && role?.renewable !== false && type === "service",
    displayName: displayNameOf(params),
    meta: metaOf(params),
    path: role === null || role.pathSuffix === "" ? settled.path : `${settled.path}/${role.pathSuffix}`,
    boundCidrs: role === null ? inherited : role.boundCidrs,
    role: roleName,
    noDefaultPolicy: params.no_default_policy || role?.noDefaultPolicy === true,
    login: null,
    mountTtl: settled.mountTtl,
  };
}

async function entityOf(
  identity: TokenIdentity,
  { params, caller }: Settled,
  orphan: boolean,
): Promise<string> {
  if (params.entity_alias !== "") return identity.entityForAlias(params.entity_alias);
  return orphan ? "" : caller.record.entityId;
}

const ALWAYS_THERE = ["root", "default"];

async function unknownPolicies({ barrier }: Services, policies: readonly string[]): Promise<string[]> {
  const warnings: string[] = [];
  for (const name of policies.filter((policy) => !ALWAYS_THERE.includes(policy))) {
    const isStorable = name.split("/").every((segment) => segment !== "") && name.length <= 512;
    if (!isStorable || (await barrier.get(`policy/${name}`)) === null) {
      warnings.push(`Policy ${JSON.stringify(name)} does not exist`);
    }
  }
  return warnings;
}
