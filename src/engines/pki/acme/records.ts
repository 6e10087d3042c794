import type { JsonObject } from "../../../base/json.ts";
import type { EngineStorage, EngineWrite } from "../../../framework/storage.ts";
import type { Directory } from "./directory.ts";
import type { Identifier } from "./identifiers.ts";

/*
 * What is kept of ACME. Orders and authorizations lie below their account, so that nobody finds another's. Each has a due
 * time at which it is over and goes (or, of an authorization that is being validated, the next attempt's).
 */

export const ACCOUNT_PREFIX = "acme/account/";
/** The account of a key in a directory, by a keyed hash of both. */
export const THUMBPRINT_PREFIX = "acme/thumbprint/";
export const ORDER_PREFIX = "acme/order/";
export const AUTHORIZATION_PREFIX = "acme/authorization/";

export type AccountStatus = "valid" | "deactivated" | "revoked";

export interface AccountRecord {
  readonly v: 1;
  readonly id: string;
  readonly status: AccountStatus;
  readonly directory: Directory;
  /** The public key, as JWK. */
  readonly jwk: JsonObject;
  /** RFC 7638, SHA-256, base64url. */
  readonly thumbprint: string;
  readonly contact: readonly string[];
  readonly termsAgreed: boolean;
  /** The id of the external account that it was bound to; empty: none. */
  readonly eab: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** When it was deactivated or revoked; null: it was not. */
  readonly endedAt: number | null;
}

export interface OrderRecord {
  readonly v: 1;
  readonly id: string;
  readonly account: string;
  readonly identifiers: readonly Identifier[];
  /** Ids of its authorizations, one an identifier. */
  readonly authorizations: readonly string[];
  /** While open, its authorizations tell whether it is pending, ready or invalid. */
  readonly state: "open" | "finalizing" | "valid" | "invalid";
  readonly expiresAt: number;
  /** While finalizing: when whoever began is taken to have failed. */
  readonly finalizeBy: number | null;
  readonly certificate: { readonly serial: string; readonly chain: string; readonly notAfter: number } | null;
  /** A problem document, of an order that failed. */
  readonly error: JsonObject | null;
}

export type ChallengeType = "http-01" | "dns-01" | "tls-alpn-01";

export interface ChallengeRecord {
  readonly type: ChallengeType;
  readonly token: string;
  readonly status: "pending" | "processing" | "valid" | "invalid";
  readonly validatedAt: number | null;
  /** Attempts made so far. */
  readonly attempts: number;
  /** A problem document: why the last attempt failed. */
  readonly error: JsonObject | null;
}

export interface AuthorizationRecord {
  readonly v: 1;
  readonly id: string;
  readonly account: string;
  readonly order: string;
  /** Without a wildcard's `*.`. */
  readonly identifier: Identifier;
  readonly wildcard: boolean;
  readonly status: "pending" | "valid" | "invalid" | "deactivated";
  readonly expiresAt: number;
  /** The account key's thumbprint when validation was asked for; empty before. */
  readonly thumbprint: string;
  readonly challenges: readonly ChallengeRecord[];
}

/** An entry with the version that its replacement expects. */
export interface Stored<T> {
  readonly record: T;
  readonly version: number;
}

export function orderKey({ account, id }: Pick<OrderRecord, "account" | "id">): string {
  return `${ORDER_PREFIX}${account}/${id}`;
}

export function authorizationKey({ account, id }: Pick<AuthorizationRecord, "account" | "id">): string {
  return `${AUTHORIZATION_PREFIX}${account}/${id}`;
}

/** Null: there is none. */
export async function readRecord<T>(storage: EngineStorage, key: string): Promise<Stored<T> | null> {
  const entry = await storage.get(key);
  return entry === null ? null : { record: entry.value as unknown as T, version: entry.version };
}

type AcmeRecord = AccountRecord | OrderRecord | AuthorizationRecord;

/** @param expect - The version that was read; 0: it is new. */
export function putRecord(
  key: string,
  record: AcmeRecord,
  expect: number,
  dueAt: number | null = null,
): EngineWrite {
  return { op: "put", key, value: record as unknown as JsonObject, expect, dueAt };
}

/** Deletes what is over, and was not changed meanwhile. */
export function deleteRecord(key: string, expect: number): EngineWrite {
  return { op: "delete", key, expect };
}
