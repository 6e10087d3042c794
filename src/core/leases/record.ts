import { createHash } from "node:crypto";
import type { StoredEntry, Write } from "../../barrier/port.ts";
import { VsecError } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../base/json.ts";
import type { ProcessIdentity } from "../../base/processes.ts";
import type { LeasedSecret } from "../../framework/secret.ts";
import { ownerIndexKeys } from "./owner-keys.ts";

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

/** Segment that stands for a lease id in an index; ids have slashes. */
function idSegment(id: string): string {
  return createHash("sha256").update(id).digest("base64url").slice(0, 22);
}

export function tokenIndexPrefix(tokenHash: string): string {
  return `lease-token/${tokenHash}/`;
}

export function principalIndexPrefix(principal: string): string {
  return `lease-principal/${encodeURIComponent(principal)}/`;
}

/** Leases that count as irrevocable, so that they are found without a look at all the others. */
export const IRREVOCABLE_INDEX = "lease-irrevocable/";

/** Keys of the entries through which a lease is found by its token and by its principal; their value is the lease id. */
function indexKeys(record: LeaseRecord): string[] {
  const segment = idSegment(record.id);
  const keys = [tokenIndexPrefix(record.tokenHash) + segment];
  if (isIrrevocable(record)) keys.push(IRREVOCABLE_INDEX + segment);
  if (record.principal !== null) keys.push(principalIndexPrefix(record.principal) + segment);
  keys.push(...ownerIndexKeys(record));
  return keys;
}

const encoder = new TextEncoder();

/** The write that stores the record. `dueAt` is when the lease needs attention next. */
export function putLease(record: LeaseRecord, dueAt: number, expect: number): Write {
  const value = encoder.encode(JSON.stringify(record));
  return { op: "put", key: leaseKey(record.id), value, dueAt, expect };
}

/** The write that lists the lease as irrevocable. Written again with every further failure, which changes nothing. */
function putIrrevocable(record: LeaseRecord): Write[] {
  if (!isIrrevocable(record)) return [];
  return [{ op: "put", key: IRREVOCABLE_INDEX + idSegment(record.id), value: encoder.encode(record.id) }];
}

/** The writes that replace a lease's record by a later state of it. */
export function changeLease(lease: StoredLease, record: LeaseRecord, dueAt: number): Write[] {
  return [
    putLease(record, dueAt, lease.version),
    ...(record.failure === lease.record.failure ? [] : putIrrevocable(record)),
  ];
}

export function putLeaseIndexes(record: LeaseRecord): Write[] {
  const value = encoder.encode(record.id);
  return indexKeys(record).map((key) => ({ op: "put", key, value }));
}

/** The writes that forget a lease. */
export function deleteLease(lease: StoredLease): Write[] {
  return [
    { op: "delete", key: leaseKey(lease.record.id), expect: lease.version },
    ...indexKeys(lease.record).map((key): Write => ({ op: "delete", key })),
  ];
}

/** @throws BARRIER_DAMAGED when the entry is not a lease record of a known version. */
export function decodeLease(entry: StoredEntry): StoredLease {
  const value = parseJson(Buffer.from(entry.value).toString("utf8"));
  if (!isJsonObject(value) || value.v !== 1) {
    throw new VsecError("BARRIER_DAMAGED", "a lease record is of a version that this vsec does not know");
  }
  return { record: value as unknown as LeaseRecord, version: entry.version };
}

export function decodeIndex(entry: StoredEntry): string {
  return Buffer.from(entry.value).toString("utf8");
}

/** What an engine sees of the lease. */
export function leasedSecret(record: LeaseRecord): LeasedSecret {
  return { leaseId: record.id, internal: record.internal, issuedAt: record.issuedAt };
}
