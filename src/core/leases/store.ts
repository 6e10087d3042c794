import type { Write } from "../../barrier/port.ts";
import { hasCode } from "../../base/errors.ts";
import type { Services } from "../services.ts";
import {
  changeLease,
  decodeIndex,
  decodeLease,
  deleteLease,
  IRREVOCABLE_INDEX,
  LEASE_PREFIX,
  type LeaseRecord,
  leaseKey,
  principalIndexPrefix,
  type StoredLease,
} from "./record.ts";

const PAGE = 500;

/**
 * How many leases one commit changes or forgets where there are that many: it writes each page of the store that it touches
 * once, and many leases touch the same ones.
 */
export const LEASES_OF_A_COMMIT = 2500;

/** Null: no such lease. */
export async function readLease({ barrier }: Services, id: string): Promise<StoredLease | null> {
  if (!isLeaseId(id)) return null;
  const entry = await barrier.get(leaseKey(id));
  return entry === null ? null : decodeLease(entry);
}

/** Whether a text can be a lease id at all: non-empty segments joined by slashes. */
export function isLeaseId(id: string): boolean {
  return id !== "" && id.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
}

/** Finds leases by what the backend calls their credential. */
export async function leasesOfPrincipal(services: Services, principal: string): Promise<StoredLease[]> {
  const page = await services.barrier.scan(principalIndexPrefix(principal), { limit: PAGE });
  const leases = await Promise.all(page.entries.map((entry) => readLease(services, decodeIndex(entry))));
  return leases.filter((lease) => lease !== null);
}

/** Leases below a prefix, and where the listing goes on. */
export interface LeasePage {
  readonly leases: readonly StoredLease[];
  /** For the next page; undefined: this is the last one. */
  readonly next: string | undefined;
}

/** One page of the leases below a prefix ("" or a path with or without its trailing slash), in the store's order. */
export async function leasePage(
  { barrier }: Services,
  prefix: string,
  after: string | undefined,
): Promise<LeasePage> {
  const below = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
  const request = after === undefined ? { limit: PAGE } : { limit: PAGE, after };
  const page = await barrier.scan(LEASE_PREFIX + below, request);
  return { leases: page.entries.map(decodeLease), next: page.next ?? undefined };
}

/** The pages of all leases below a prefix. */
export async function* leasesUnder(
  services: Services,
  prefix: string,
): AsyncGenerator<readonly StoredLease[]> {
  let after: string | undefined;
  do {
    const page = await leasePage(services, prefix, after);
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
  const writes = changes.map((change) => changeLease(change.lease, change.record, change.dueAt));
  const versions = await commitOrSplit(services, writes);
  return changes.flatMap((change, index) => {
    const version = versions[index];
    return version === undefined || version === null ? [] : [{ record: change.record, version }];
  });
}

/** Forgets leases whose secrets are gone. One that somebody changed meanwhile stays; it will be met again. */
export async function forgetLeases(services: Services, leases: readonly StoredLease[]): Promise<void> {
  await commitOrSplit(services, leases.map(deleteLease));
}

/**
 * Commits groups of writes together. Where a group loses a race, the others are told from it by halves: each commit is a flush to
 * disk, and mostly few lose. Null stands for a group that lost.
 */
async function commitOrSplit(
  services: Services,
  groups: readonly (readonly Write[])[],
): Promise<readonly (number | null)[]> {
  if (groups.length === 0) return [];
  try {
    return firstOfEach(groups, await services.barrier.commit(groups.flat()));
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
  }
  if (groups.length === 1) return [null];
  const middle = Math.ceil(groups.length / 2);
  return [
    ...(await commitOrSplit(services, groups.slice(0, middle))),
    ...(await commitOrSplit(services, groups.slice(middle))),
  ];
}

/** The version that each group's first put got, out of the versions of all puts; null for a group that only deletes. */
function firstOfEach(groups: readonly (readonly Write[])[], versions: readonly number[]): (number | null)[] {
  let position = 0;
  return groups.map((group) => {
    const puts = group.filter((write) => write.op === "put").length;
    const first = versions[position];
    position += puts;
    return puts === 0 ? null : (first ?? null);
  });
}

/** The leases that count as irrevocable, page by page. */
export async function* irrevocablePages(services: Services): AsyncGenerator<readonly StoredLease[]> {
  let after: string | undefined;
  do {
    const request = after === undefined ? { limit: PAGE } : { limit: PAGE, after };
    const page = await services.barrier.scan(IRREVOCABLE_INDEX, request);
    const leases = await Promise.all(page.entries.map((entry) => readLease(services, decodeIndex(entry))));
    yield leases.filter((lease) => lease !== null);
    after = page.next ?? undefined;
  } while (after !== undefined);
}
