import { matchesGlob } from "../../base/glob.ts";
import type { JsonObject } from "../../base/json.ts";
import { NO_ROOT_ROTATION, type RootRotationTimes } from "../../framework/rotation.ts";
import type { EngineStorage, EngineWrite } from "../../framework/storage.ts";
import { booleanDetail } from "./connection-url.ts";

/** A connection's configuration. */
export interface ConnectionConfig {
  readonly pluginName: string;
  readonly pluginVersion: string;
  /** Everything that is the plugin's: connection_url, username, password, limits, TLS. */
  readonly details: JsonObject;
  readonly allowedRoles: readonly string[];
  readonly rootRotationStatements: readonly string[];
  readonly passwordPolicy: string;
  /** When the administrator's password is replaced by itself. */
  readonly rootRotation: RootRotationTimes;
  /** When that is due next; null: never. Milliseconds since the epoch. */
  readonly rotateAt: number | null;
  /** Whether static roles are taken over without a rotation, unless they say otherwise. */
  readonly skipsImportRotation: boolean;
}

export interface StoredConfig {
  readonly config: ConnectionConfig;
  readonly version: number;
}

const CONFIG = "config/";
/** A deleted configuration is kept here: leases that were issued with it still have to be revoked. */
const RETIRED = "retired-config/";

/** What configurations did not have that were stored by an earlier version. */
const LATER = { rootRotation: NO_ROOT_ROTATION, rotateAt: null, skipsImportRotation: false };

function decodeConfig(value: JsonObject): ConnectionConfig {
  return { ...LATER, ...(value as unknown as ConnectionConfig) };
}

/** The name of the connection whose configuration has this key. Null: it is no configuration's. */
export function configOf(key: string): string | null {
  return key.startsWith(CONFIG) ? key.slice(CONFIG.length) : null;
}

/** Null: no connection of that name is configured. */
export async function readConfig(storage: EngineStorage, name: string): Promise<StoredConfig | null> {
  const entry = await storage.get(CONFIG + name);
  return entry === null ? null : { config: decodeConfig(entry.value), version: entry.version };
}

/** The newest configuration of that name there has been, for revocation. Null: there was never one. */
export async function readConfigForRevocation(
  storage: EngineStorage,
  name: string,
): Promise<ConnectionConfig | null> {
  const stored = await readConfig(storage, name);
  if (stored !== null) return stored.config;
  const retired = await storage.get(RETIRED + name);
  return retired === null ? null : decodeConfig(retired.value);
}

/** The write that stores a configuration; it is due when its administrator's password is. @param expect - The version it replaces; 0: none. */
export function putConfig(name: string, config: ConnectionConfig, expect: number): EngineWrite {
  const value = config as unknown as JsonObject;
  return { op: "put", key: CONFIG + name, value, dueAt: config.rotateAt, expect };
}

/** A precondition: the configuration is still at this version. */
export function checkConfig(name: string, expect: number): EngineWrite {
  return { op: "check", key: CONFIG + name, expect };
}

/**
 * Takes a configuration out of use, and keeps it for the revocation of what was issued with it.
 * @param check - What must hold for it to go.
 * @throws STORE_CONFLICT when it does not, or the configuration was changed meanwhile.
 */
export async function retireConfig(storage: EngineStorage, name: string, check: EngineWrite): Promise<void> {
  const stored = await readConfig(storage, name);
  if (stored === null) return;
  await storage.commit([
    { op: "delete", key: CONFIG + name, expect: stored.version },
    { op: "put", key: RETIRED + name, value: stored.config as unknown as JsonObject },
    check,
  ]);
}

export function listConfigs(storage: EngineStorage): Promise<readonly string[]> {
  return storage.list(CONFIG);
}

/** The value of a string parameter among the details; "" when absent. */
export function detail(details: JsonObject, key: string): string {
  const value = details[key];
  return typeof value === "string" ? value : "";
}

/**
 * Whether `allowed_roles` lets a role use the connection: `*` stands for any run of characters, anywhere, also empty.
 * @see reference: database config, allowed_roles.
 */
export function isRoleAllowed(allowed: readonly string[], role: string): boolean {
  return allowed.some((pattern) => matchesGlob(pattern, role));
}

/** Whether the users of a connection change their own passwords: it has no administrator. */
export function isSelfManaged({ details }: ConnectionConfig): boolean {
  return booleanDetail(details, "self_managed");
}
