import type { JsonObject } from "../../base/json.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import type { TokenTerms } from "../../framework/token-fields.ts";
import type { PasswordHash } from "./password.ts";

export interface User {
  readonly password: PasswordHash;
  readonly terms: TokenTerms;
  /** Fields that were written under their old names, so shown under them as well. */
  readonly oldNames: readonly OldName[];
}

export const OLD_NAMES = ["policies", "ttl", "max_ttl", "bound_cidrs"] as const;
export type OldName = (typeof OLD_NAMES)[number];

export interface StoredUser {
  readonly user: User;
  readonly version: number;
}

const USERS = "user/";

/** Null: no such user. */
export async function readUser(storage: EngineStorage, name: string): Promise<StoredUser | null> {
  const entry = await storage.get(USERS + name);
  return entry === null ? null : { user: entry.value as unknown as User, version: entry.version };
}

/** @param expect - The version it replaces; 0: none. @throws STORE_CONFLICT when somebody else was faster. */
export async function writeUser(
  storage: EngineStorage,
  name: string,
  user: User,
  expect: number,
): Promise<void> {
  await storage.commit([{ op: "put", key: USERS + name, value: user as unknown as JsonObject, expect }]);
}

export async function deleteUser(storage: EngineStorage, name: string): Promise<void> {
  await storage.commit([{ op: "delete", key: USERS + name }]);
}

export function listUsers(storage: EngineStorage): Promise<readonly string[]> {
  return storage.list(USERS);
}
