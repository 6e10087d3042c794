import type { JsonObject } from "../../base/json.ts";
import type { EngineStorage } from "../../framework/storage.ts";

export const CREDENTIAL_TYPES = ["iam_user", "assumed_role", "federation_token", "session_token"] as const;
export type CredentialType = (typeof CREDENTIAL_TYPES)[number];

/** What `creds/:name` and `sts/:name` issue, and with which rights. */
export interface Role {
  /** One; a legacy role made from a policy has two. */
  readonly credentialTypes: readonly CredentialType[];
  readonly roleArns: readonly string[];
  readonly policyArns: readonly string[];
  /** Compact JSON; empty: none. */
  readonly policyDocument: string;
  readonly iamGroups: readonly string[];
  readonly iamTags: Readonly<Record<string, string>>;
  readonly sessionTags: Readonly<Record<string, string>>;
  readonly externalId: string;
  readonly mfaSerialNumber: string;
  /** 0: an hour. */
  readonly defaultStsTtlSeconds: number;
  /** 0: the mount's maximum. */
  readonly maxStsTtlSeconds: number;
  readonly userPath: string;
  readonly permissionsBoundaryArn: string;
  /** Made by the parameters of old: `creds/` then gives users, and `sts/` tokens, only. */
  readonly isLegacy: boolean;
}

export interface StoredRole {
  readonly role: Role;
  readonly version: number;
}

const ROLES = "roles/";

/** Null: no such role. */
export async function readRole(storage: EngineStorage, name: string): Promise<StoredRole | null> {
  const entry = await storage.get(ROLES + name);
  return entry === null ? null : { role: entry.value as unknown as Role, version: entry.version };
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
