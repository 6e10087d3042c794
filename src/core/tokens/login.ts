import { ApiError, badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { LoginGrant } from "../../framework/auth.ts";
import { effectiveTtl, type Mounted } from "../mounts/mounts.ts";
import { type MountEntry, mountTokenType } from "../mounts/table.ts";
import type { Services } from "../services.ts";
import { isWithinCidrs } from "./cidr.ts";
import { type CreatedToken, createToken } from "./create.ts";
import { normalizePolicies } from "./policy-rules.ts";
import { authBlock } from "./present.ts";
import type { TokenType } from "./record.ts";

/** Who logged in, as the identity store knows it. */
export interface LoginIdentity {
  /** Empty: nobody in particular. */
  readonly entityId: string;
  /** The policies that the entity and its groups give. */
  readonly policies: readonly string[];
}

export interface LoggedIn {
  readonly created: CreatedToken;
  /** The envelope's `auth`. */
  readonly auth: JsonObject;
}

const NOBODY: LoginIdentity = { entityId: "", policies: [] };

/**
 * Makes the token of a login.
 * @param path - The request's whole path, which the token's path is.
 * @param identity - Whom {@link LoginGrant.alias} stands for.
 * @throws ApiError 400 `auth methods cannot create root tokens`; 403 from an address that the token could not be used from.
 * @see reference: tokens, use at request time.
 */
export async function tokenForLogin(
  services: Services,
  mounted: Mounted,
  grant: LoginGrant,
  path: string,
  remoteAddress: string | null,
  identity: LoginIdentity = NOBODY,
): Promise<LoggedIn> {
  const { entry } = mounted;
  if (!(await isWithinCidrs(grant.boundCidrs, remoteAddress))) throw new ApiError(403, "permission denied");
  const policies = normalizePolicies(grant.policies, !grant.noDefaultPolicy);
  if (policies.includes("root")) throw badRequest("auth methods cannot create root tokens");
  if (policies.includes("response-wrapping")) throw badRequest('cannot assign policy "response-wrapping"');
  const type = typeOf(entry, grant);
  const isService = type === "service";
  const created = await createToken(services, {
    type,
    policies,
    parent: null,
    ttlSeconds: grant.ttlSeconds,
    maxTtlSeconds: grant.maxTtlSeconds,
    explicitMaxTtlSeconds: grant.explicitMaxTtlSeconds,
    periodSeconds: isService ? grant.periodSeconds : 0,
    numUses: isService ? grant.numUses : 0,
    renewable: grant.renewable,
    displayName: displayNameOf(entry, grant),
    meta: Object.keys(grant.metadata).length > 0 ? grant.metadata : null,
    path,
    entityId: identity.entityId,
    boundCidrs: grant.boundCidrs,
    role: null,
    noDefaultPolicy: grant.noDefaultPolicy,
    login: { mountUuid: entry.uuid, internal: grant.internal },
    mountTtl: effectiveTtl(entry),
  });
  return { created, auth: authBlock(created, identity.policies) };
}

/** The mount may force a type; else the role decides, and where it does not, the mount's default stands. */
function typeOf(entry: MountEntry, { tokenType }: LoginGrant): TokenType {
  const ofMount = mountTokenType(entry);
  if (ofMount === "service" || ofMount === "batch") return ofMount;
  switch (tokenType) {
    case "service":
    case "default-service":
      return "service";
    case "batch":
    case "default-batch":
      return "batch";
    case "":
    case "default":
      return ofMount === "default-batch" ? "batch" : "service";
  }
}

/** The mount's path, a name after it where the method has one: `userpass-bob`, `approle`. */
function displayNameOf({ path }: MountEntry, { displayName }: LoginGrant): string {
  const mount = path
    .replace(/^auth\//, "")
    .replace(/\/$/, "")
    .replaceAll("/", "-");
  return displayName === "" ? mount : `${mount}-${displayName}`;
}
