import type { StoredEntry, Write } from "../../barrier/port.ts";
import { VsecError } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, parseStored } from "../../base/json.ts";
import type { ProcessIdentity } from "../../base/processes.ts";
import type { LeasedSecret } from "../../framework/secret.ts";
import { ownerKey } from "./owner-keys.ts";

/**
 * A lease's life:
 *
 *     pending ──activate──▶ active ──expiry or revoke──▶ revoking ──gone, verified──▶ (deleted)
 *        └──────────── deadline passed ─────────────────────▲ │
 *                                                           └─┘ failed: due again, with backoff
 *
 * Every step is a commit with a precondition on the record's version, so that a creator, a renewer and a revoker that meet
 * find out who was first. Whatever the state, the entry has a due time: a lease always has an end.
 */
export type LeaseState = "pending" | "active" | "revoking";

/** Why the last attempt at revocation failed. */
export interface RevocationFailure {
  readonly attempts: number;
  readonly error: string;
  /** Milliseconds since the epoch. */
  readonly lastAttemptAt: number;
}

/** What is stored of a lease. Times are milliseconds since the epoch. */
export interface LeaseRecord {
  readonly v: 1;
  readonly id: string;
  readonly state: LeaseState;
  readonly mountUuid: string;
  readonly mountAccessor: string;
  readonly secret: string;
  readonly internal: JsonObject;
  readonly principal: string | null;
  /** Another name of the credential, which the backend chose when it made it. Absent: none. */
  readonly alias?: string;
  /** The keyed hash of the token that asked. */
  readonly tokenHash: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly renewedAt: number | null;
  readonly renewable: boolean;
  readonly failure: RevocationFailure | null;
  /**
   * Until then a creator may still be at work. A lease that is revoked meanwhile keeps its record, and is verified once more
   * at that time: what the creator makes after a first look would otherwise have no lease. Null: the creation has ended.
   */
  readonly createUntil: number | null;
  /** The process that it is for, and ends with. Absent: it is for nobody in particular, and ends by itself. */
  readonly owner?: ProcessIdentity;
  /** What the one who asked calls it, for people. */
  readonly label?: string;
}

/** A lease as read: the record, and the version that a change of it must still find. */
export interface StoredLease {
  readonly record: LeaseRecord;
  readonly version: number;
}

/** From this many failed attempts on a lease counts as irrevocable: it is listed as such, and still tried at the slow end. */
export const IRREVOCABLE_ATTEMPTS = 6;

export function isIrrevocable(record: LeaseRecord): boolean {
  return record.failure !== null && record.failure.attempts >= IRREVOCABLE_ATTEMPTS;
}

export const LEASE_PREFIX = "lease/";

export function leaseKey(id: string): string {
  return LEASE_PREFIX + id;
}

/** Tags of leases. Whoever finds a lease by one looks whether it should have it: a tag is not authenticated. */

export function tokenTag(tokenHash: string): string {
  return `lease of token ${tokenHash}`;
}

/** Of the credential's name, and of the other one that the backend may have chosen. */
export function principalTag(principal: string): string {
  return `lease of principal ${principal}`;
}

export function ownerTag(ownerKey: string): string {
  return `lease of owner ${ownerKey}`;
}

/** Of the leases that count as irrevocable, so that they are found without a look at all the others. */
export const IRREVOCABLE_TAG = "lease that is irrevocable";

function tagsOf(record: LeaseRecord): string[] {
  const { tokenHash, principal, alias, owner } = record;
  const tags = [tokenTag(tokenHash)];
  if (principal !== null) tags.push(principalTag(principal));
  if (alias !== undefined && alias !== principal) tags.push(principalTag(alias));
  if (owner !== undefined) tags.push(ownerTag(ownerKey(owner)));
  if (isIrrevocable(record)) tags.push(IRREVOCABLE_TAG);
  return tags;
}

const encoder = new TextEncoder();

/** The write that stores the record. `dueAt` is when the lease needs attention next. */
export function putLease(record: LeaseRecord, dueAt: number, expect: number): Write {
  const value = encoder.encode(JSON.stringify(record));
  return { op: "put", key: leaseKey(record.id), value, dueAt, tags: tagsOf(record), expect };
}

/** The write that forgets a lease. */
export function deleteLease({ record, version }: StoredLease): Write {
  return { op: "delete", key: leaseKey(record.id), expect: version };
}

/** @throws BARRIER_DAMAGED when the entry is not a lease record of a known version. */
export function decodeLease(entry: StoredEntry): StoredLease {
  const value = parseStored(entry.value);
  if (!isJsonObject(value) || value.v !== 1) {
    throw new VsecError("BARRIER_DAMAGED", "a lease record is of a version that this vsec does not know");
  }
  return { record: value as unknown as LeaseRecord, version: entry.version };
}

/** What an engine sees of the lease. */
export function leasedSecret(record: LeaseRecord): LeasedSecret {
  return { leaseId: record.id, internal: record.internal, issuedAt: record.issuedAt };
}
