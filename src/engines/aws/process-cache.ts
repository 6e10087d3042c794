import { hasCode } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { EngineStorage } from "../../framework/storage.ts";

/** A credential that is kept for credential-process. */
export interface ProcessCredential {
  /** The lease that it was issued under. */
  readonly leaseId: string;
  /** The version of the role that it was issued by. */
  readonly roleVersion: number;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Empty: none. */
  readonly sessionToken: string;
}

const PREFIX = "process/";

export function isProcessKey(key: string): boolean {
  return key.startsWith(PREFIX);
}

/** Where the credential of a role and a caller is kept. @param hash - Of all that it depends on. */
export function processKeyOf(hash: string): string {
  return PREFIX + hash;
}

/** Null: there is none. */
export async function readProcessCredential(
  storage: EngineStorage,
  key: string,
): Promise<ProcessCredential | null> {
  const entry = await storage.get(key);
  return entry === null ? null : (entry.value as unknown as ProcessCredential);
}

/** Keeps a credential, in place of what was there; it goes when it expires. */
export async function keepProcessCredential(
  storage: EngineStorage,
  key: string,
  credential: ProcessCredential,
): Promise<void> {
  const value = credential as unknown as JsonObject;
  await storage.commit([{ op: "put", key, value, dueAt: credential.expiresAt }]);
}

/** Forgets a credential whose lease ends; another's that took its place stays. */
export async function dropProcessCredential(
  storage: EngineStorage,
  key: string,
  leaseId: string,
): Promise<void> {
  const entry = await storage.get(key);
  if (entry === null || entry.value.leaseId !== leaseId) return;
  await dropVersion(storage, key, entry.version);
}

/** Forgets a credential that has expired. */
export async function dropExpired(storage: EngineStorage, key: string, now: number): Promise<void> {
  const entry = await storage.get(key);
  if (entry === null || Number(entry.value.expiresAt) > now) return;
  await dropVersion(storage, key, entry.version);
}

async function dropVersion(storage: EngineStorage, key: string, expect: number): Promise<void> {
  try {
    await storage.commit([{ op: "delete", key, expect }]);
  } catch (error) {
    // Something newer took its place.
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
  }
}
