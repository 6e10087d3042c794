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
}

const ROLES = "roles/";

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
