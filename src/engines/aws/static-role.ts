import type { JsonObject } from "../../base/json.ts";
import type { EngineStorage, EngineWrite } from "../../framework/storage.ts";
import type { KeyIntent } from "./access-keys.ts";
import type { AssumedRole } from "./config.ts";

/** An existing user whose key is replaced at intervals. */
export interface StaticRole {
  readonly username: string;
  /** AWS's id of the user: another one who gets the name later is another user. */
  readonly userId: string;
  readonly rotationPeriodSeconds: number;
  /** The role of another account that is assumed to reach the user there; null: the user is in our own. */
  readonly via: AssumedRole | null;
  /** Empty before the first rotation. */
  readonly accessKey: string;
  readonly secretKey: string;
  /** A key that is being made; null: none. */
  readonly intent: KeyIntent | null;
  /** Milliseconds since the epoch. */
  readonly nextRotationAt: number;
}

export interface StoredStaticRole {
  readonly role: StaticRole;
  readonly version: number;
}

const ROLES = "static-roles/";

/** The name of the role whose entry has this key. Null: it is no static role's. */
export function staticNameOf(key: string): string | null {
  return key.startsWith(ROLES) ? key.slice(ROLES.length) : null;
}

/** Null: no such role. */
export async function readStatic(storage: EngineStorage, name: string): Promise<StoredStaticRole | null> {
  const entry = await storage.get(ROLES + name);
  return entry === null ? null : { role: entry.value as unknown as StaticRole, version: entry.version };
}

/** @param expect - The version it replaces; 0: none. @returns The new version. */
export async function writeStatic(
  storage: EngineStorage,
  name: string,
  role: StaticRole,
  expect: number,
): Promise<number> {
  const value = role as unknown as JsonObject;
  const put: EngineWrite = { op: "put", key: ROLES + name, value, dueAt: role.nextRotationAt, expect };
  const [version = 0] = await storage.commit([put]);
  return version;
}

export async function deleteStatic(storage: EngineStorage, name: string, expect: number): Promise<void> {
  await storage.commit([{ op: "delete", key: ROLES + name, expect }]);
}

export function listStatic(storage: EngineStorage): Promise<readonly string[]> {
  return storage.list(ROLES);
}
