import type { JsonObject } from "../../base/json.ts";
import type { EngineStorage } from "../../framework/storage.ts";

/** A dynamic role: how its users are made, for how long, and how they end. */
export interface Role {
  readonly dbName: string;
  readonly creationStatements: readonly string[];
  readonly revocationStatements: readonly string[];
  readonly renewStatements: readonly string[];
  readonly rollbackStatements: readonly string[];
  /** 0: the mount's default. */
  readonly defaultTtlSeconds: number;
  /** 0: the mount's maximum. */
  readonly maxTtlSeconds: number;
  readonly credentialType: string;
  readonly credentialConfig: Readonly<Record<string, string>>;
  /** How many of its leases may live at once; 0: any number. */
  readonly maxLive: number;
  /** How long sessions may go on after the revocation of their user has begun. */
  readonly sessionGraceSeconds: number;
}

/** What roles did not have that were stored by an earlier version. */
const LATER = { maxLive: 0, sessionGraceSeconds: 0 };

const ROLES = "roles/";

/** Null: no such role. */
export async function readRole(storage: EngineStorage, name: string): Promise<Role | null> {
  const entry = await storage.get(ROLES + name);
  return entry === null ? null : { ...LATER, ...(entry.value as unknown as Role) };
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
