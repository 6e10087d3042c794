import type { JsonObject } from "../../base/json.ts";
import { NO_ROOT_ROTATION, type RootRotationTimes } from "../../framework/rotation.ts";
import type { EngineStorage, EngineWrite } from "../../framework/storage.ts";

/** How AWS is reached and administered: `config/root`. */
export interface RootConfig {
  /** Both keys empty: the SDK's chain (environment, profile, web identity, container, instance). */
  readonly accessKey: string;
  readonly secretKey: string;
  /** A role that is assumed with those credentials before anything else is done. Empty: none. */
  readonly roleArn: string;
  readonly region: string;
  readonly iamEndpoint: string;
  readonly stsEndpoint: string;
  readonly stsRegion: string;
  /** Tried in order when the STS endpoint cannot be reached; as long as the list of regions. */
  readonly stsFallbackEndpoints: readonly string[];
  readonly stsFallbackRegions: readonly string[];
  /** -1: the default. */
  readonly maxRetries: number;
  /** Empty: the built-in names. */
  readonly usernameTemplate: string;
  /** When the root key is rotated by itself. */
  readonly rotation: RootRotationTimes;
  /** Milliseconds since the epoch; null: never by itself. */
  readonly nextRotationAt: number | null;
}

/** A role that is assumed to work as it. */
export interface AssumedRole {
  readonly roleArn: string;
  /** Empty: ours. */
  readonly sessionName: string;
  /** Empty: none. */
  readonly externalId: string;
}

export interface StoredRoot {
  readonly config: RootConfig;
  /** 0: nothing is configured, and this is the default. */
  readonly version: number;
}

export const ROOT_KEY = "config/root";
const LEASE_KEY = "config/lease";

const DEFAULT_ROOT: RootConfig = {
  accessKey: "",
  secretKey: "",
  roleArn: "",
  region: "",
  iamEndpoint: "",
  stsEndpoint: "",
  stsRegion: "",
  stsFallbackEndpoints: [],
  stsFallbackRegions: [],
  maxRetries: -1,
  usernameTemplate: "",
  rotation: NO_ROOT_ROTATION,
  nextRotationAt: null,
};

/** The root configuration; without one, everything at its default. */
export async function readRoot(storage: EngineStorage): Promise<StoredRoot> {
  const entry = await storage.get(ROOT_KEY);
  if (entry === null) return { config: DEFAULT_ROOT, version: 0 };
  return { config: entry.value as unknown as RootConfig, version: entry.version };
}

/** The write that stores the root configuration; it is due at its next rotation. @param expect - The version it replaces. */
export function putRoot(config: RootConfig, expect: number): EngineWrite {
  const value = config as unknown as JsonObject;
  return { op: "put", key: ROOT_KEY, value, dueAt: config.nextRotationAt, expect };
}

/** The TTLs of IAM users' leases: `config/lease`. 0: the mount's. */
export interface LeaseConfig {
  readonly leaseSeconds: number;
  readonly leaseMaxSeconds: number;
}

/** Null: not configured. */
export async function readLeaseConfig(storage: EngineStorage): Promise<LeaseConfig | null> {
  const entry = await storage.get(LEASE_KEY);
  return entry === null ? null : (entry.value as unknown as LeaseConfig);
}

export async function writeLeaseConfig(storage: EngineStorage, config: LeaseConfig): Promise<void> {
  await storage.commit([{ op: "put", key: LEASE_KEY, value: config as unknown as JsonObject }]);
}
