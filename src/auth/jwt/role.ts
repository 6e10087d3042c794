import type { JsonObject } from "../../base/json.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import type { TokenTerms } from "../../framework/token-fields.ts";

export interface Role {
  readonly boundAudiences: readonly string[];
  /** "": any. */
  readonly boundSubject: string;
  readonly boundClaims: JsonObject;
  readonly boundClaimsType: "string" | "glob";
  /** Metadata keys by claim. */
  readonly claimMappings: Readonly<Record<string, string>>;
  readonly userClaim: string;
  readonly userClaimJsonPointer: boolean;
  /** "": none. */
  readonly groupsClaim: string;
  /** 0: the default of 150 seconds; below 0: none. */
  readonly expirationLeewaySeconds: number;
  /** 0: the default of 150 seconds; below 0: none. */
  readonly notBeforeLeewaySeconds: number;
  /** 0: the default of 60 seconds; below 0: none. */
  readonly clockSkewLeewaySeconds: number;
  readonly maxAgeSeconds: number;
  readonly verboseLogging: boolean;
  readonly terms: TokenTerms;
  /** Fields that were written under their old names, so shown under them as well. */
  readonly oldNames: readonly OldName[];
}

export const OLD_NAMES = ["policies", "ttl", "max_ttl", "period", "num_uses", "bound_cidrs"] as const;
export type OldName = (typeof OLD_NAMES)[number];

const ROLES = "role/";

/** Null: no such role. */
export async function readRole(storage: EngineStorage, name: string): Promise<Role | null> {
  const entry = await storage.get(ROLES + name);
  return entry === null ? null : (entry.value as unknown as Role);
}

export async function writeRole(storage: EngineStorage, name: string, role: Role): Promise<void> {
  await storage.commit([{ op: "put", key: ROLES + name, value: role as unknown as JsonObject }]);
}

export async function deleteRole(storage: EngineStorage, name: string): Promise<void> {
  await storage.commit([{ op: "delete", key: ROLES + name }]);
}

export function listRoles(storage: EngineStorage): Promise<readonly string[]> {
  return storage.list(ROLES);
}
