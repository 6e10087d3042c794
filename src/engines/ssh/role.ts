import type { JsonObject } from "../../base/json.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import type { RsaSigner } from "./certificate.ts";

/** A role for one-time passwords. */
export interface OtpRole {
  readonly v: 1;
  readonly keyType: "otp";
  readonly defaultUser: string;
  readonly cidrList: string;
  readonly excludeCidrList: string;
  readonly port: number;
  readonly allowedUsers: string;
}

/** A role for certificates. Lists are texts with commas, as they were given. */
export interface CaRole {
  readonly v: 1;
  readonly keyType: "ca";
  readonly defaultUser: string;
  readonly allowedUsers: string;
  readonly allowedDomains: string;
  /** 0: the mount's. */
  readonly ttlSeconds: number;
  readonly maxTtlSeconds: number;
  readonly allowedCriticalOptions: string;
  readonly allowedExtensions: string;
  readonly defaultCriticalOptions: Readonly<Record<string, string>>;
  readonly defaultExtensions: Readonly<Record<string, string>>;
  readonly allowUserCertificates: boolean;
  readonly allowHostCertificates: boolean;
  readonly allowBareDomains: boolean;
  readonly allowSubdomains: boolean;
  readonly allowUserKeyIds: boolean;
  readonly allowEmptyPrincipals: boolean;
  readonly keyIdFormat: string;
  /** Bits that keys may have, by kind; empty: any kind and size. */
  readonly allowedUserKeyLengths: Readonly<Record<string, readonly number[]>>;
  readonly algorithmSigner: RsaSigner | "default";
  readonly notBeforeSeconds: number;
  /** Which of its values hold templates that the caller's identity fills. */
  readonly templates: {
    readonly defaultUser: boolean;
    readonly allowedUsers: boolean;
    readonly allowedDomains: boolean;
    readonly defaultExtensions: boolean;
  };
}

export type Role = OtpRole | CaRole;

const PREFIX = "role/";

export function listRoles(storage: EngineStorage): Promise<readonly string[]> {
  return storage.list(PREFIX);
}

/** Null: there is no such role. */
export async function readRole(storage: EngineStorage, name: string): Promise<Role | null> {
  const entry = await storage.get(PREFIX + name);
  return entry === null ? null : (entry.value as unknown as Role);
}

export async function writeRole(storage: EngineStorage, name: string, role: Role): Promise<void> {
  await storage.commit([{ op: "put", key: PREFIX + name, value: role as unknown as JsonObject }]);
}

export async function deleteRole(storage: EngineStorage, name: string): Promise<void> {
  await storage.commit([{ op: "delete", key: PREFIX + name }]);
}

/** The elements of a text with commas. */
export function listOf(text: string): readonly string[] {
  return [...new Set(text.split(",").map((part) => part.trim()))].filter((part) => part !== "");
}
