import { ABSENT, type Write } from "../../barrier/port.ts";
import { hasCode } from "../../base/errors.ts";
import type { Services } from "../services.ts";
import { ownerKey } from "./owner-keys.ts";
import {
  decodeLease,
  deleteLease,
  IRREVOCABLE_TAG,
  isIrrevocable,
  LEASE_PREFIX,
  type LeaseRecord,
  leaseKey,
  ownerTag,
  principalTag,
  putLease,
  type StoredLease,
  tokenTag,
} from "./record.ts";

const PAGE = 500;

/** All that reading leases takes. */
type Reading = Pick<Services, "barrier">;

/** Null: no such lease. */
export async function readLease({ barrier }: Reading, id: string): Promise<StoredLease | null> {
  if (!isLeaseId(id)) return null;
  const entry = await barrier.get(leaseKey(id));
  return entry === null ? null : decodeLease(entry);
}

/** Whether a text can be a lease id at all: non-empty segments joined by slashes. */
export function isLeaseId(id: string): boolean {
  return id !== "" && id.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
}

/** One page of the leases that carry a tag, without such as should not: whether one does is for `has` to say. */
async function taggedPage(
  { barrier }: Reading,
  tag: string,
  has: (record: LeaseRecord) => boolean,
  after: string | undefined,
): Promise<LeasePage> {
  const page = await barrier.find(tag, after === undefined ? { limit: PAGE } : { limit: PAGE, after });
  const leases = page.entries.filter(({ key }) => key.startsWith(LEASE_PREFIX)).map(decodeLease);
  return { leases: leases.filter(({ record }) => has(record)), next: page.next ?? undefined };
}

/** Finds leases by what the backend calls their credential. */
export async function leasesOfPrincipal(
  services: Reading,
  principal: string,
): Promise<readonly StoredLease[]> {
  const isOf = (record: LeaseRecord): boolean => record.principal === principal || record.alias === principal;
  return (await taggedPage(services, principalTag(principal), isOf, undefined)).leases;
}

/** The pages of a token's leases. @param tokenHash - As the leases have it. */
export function leasesOfToken(services: Reading, tokenHash: string): AsyncGenerator<readonly StoredLease[]> {
  const isOf = (record: LeaseRecord): boolean => record.tokenHash === tokenHash;
  return pages((after) => taggedPage(services, tokenTag(tokenHash), isOf, after));
}

/** One page of the leases that are for a process. @param key - Of the owner's entry. */
export function leasesOfOwner(services: Reading, key: string): Promise<LeasePage> {
  const isOf = ({ owner }: LeaseRecord): boolean => owner !== undefined && ownerKey(owner) === key;
  return taggedPage(services, ownerTag(key), isOf, undefined);
}

/** The pages of the leases that count as irrevocable. */
export function irrevocablePages(services: Reading): AsyncGenerator<readonly StoredLease[]> {
  return pages((after) => taggedPage(services, IRREVOCABLE_TAG, isIrrevocable, after));
}

/** Leases, and where the listing goes on. */
export interface LeasePage {
  readonly leases: readonly StoredLease[];
  /** For the next page; undefined: this is the last one. */
  readonly next: string | undefined;
}

/** A page of a walk over the leases below a prefix. */
export interface LeaseSwath extends LeasePage {
  /** Stands for all of them where they are forgotten together. */
  readonly swath: string;
}

/**
 * All leases below a prefix ("" or a path with or without its trailing slash), in an order in which many are read with the least work.
 * @param after - {@link LeasePage.next} of the page to go on behind.
 */
export async function* leaseSwaths(
  { barrier }: Reading,
  prefix: string,
  after?: string,
): AsyncGenerator<LeaseSwath> {
  const below = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
  const request = after === undefined ? { limit: PAGE } : { limit: PAGE, after };
  for await (const { entries, next, swath } of barrier.walk(LEASE_PREFIX + below, request))
    yield { leases: entries.map(decodeLease), next: next ?? undefined, swath };
}

/** All leases below a prefix, page by page. */
export async function* leasesUnder(
  services: Reading,
  prefix: string,
): AsyncGenerator<readonly StoredLease[]> {
  for await (const { leases } of leaseSwaths(services, prefix)) if (leases.length > 0) yield leases;
}

/** Those that hold something. */
async function* pages(
  read: (after: string | undefined) => Promise<LeasePage>,
): AsyncGenerator<readonly StoredLease[]> {
  let after: string | undefined;
  do {
    const page = await read(after);
    if (page.leases.length > 0) yield page.leases;
    after = page.next;
  } while (after !== undefined);
}

/** A change of one lease's record. */
export interface LeaseChange {
  readonly lease: StoredLease;
  readonly record: LeaseRecord;
  readonly dueAt: number;
}

/**
 * Commits changes of records in one batch; where some of them lost a race, the others all the same.
 * @returns The leases that were changed, at their new versions, in order. Those that lost are left out.
 */
export async function changeLeases(
  services: Services,
  changes: readonly LeaseChange[],
): Promise<readonly StoredLease[]> {
  const writes = changes.map(({ lease, record, dueAt }) => putLease(record, dueAt, lease.version));
  const versions = await commitOrSplit(services, writes);
  return changes.flatMap((change, index) => {
    const version = versions[index];
    return version === undefined || version === null ? [] : [{ record: change.record, version }];
  });
}

/**
 * Forgets leases whose secrets are gone.
 * @param last - Goes into the same commit.
 * @returns Those that somebody changed meanwhile: they stay, and will be met again.
 */
export async function forgetLeases(
  services: Services,
  leases: readonly StoredLease[],
  last: readonly Write[] = [],
): Promise<readonly StoredLease[]> {
  const done = await commitOrSplit(services, [...leases.map(deleteLease), ...last]);
  return leases.filter((_, index) => done[index] === null);
}

/**
 * Commits writes together. Where one loses a race, the others are told from it by halves: each commit is a flush to disk, and
 * mostly few lose.
 * @param writes - Either puts or deletes, not both.
 * @returns The versions of puts, {@link ABSENT} for deletes; null for a write that lost.
 */
async function commitOrSplit(
  services: Services,
  writes: readonly Write[],
): Promise<readonly (number | null)[]> {
  if (writes.length === 0) return [];
  try {
    const versions = await services.barrier.commit(writes);
    return writes.map((_, index) => versions[index] ?? ABSENT);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
  }
  if (writes.length === 1) return [null];
  const middle = Math.ceil(writes.length / 2);
  return [
    ...(await commitOrSplit(services, writes.slice(0, middle))),
    ...(await commitOrSplit(services, writes.slice(middle))),
  ];
}
