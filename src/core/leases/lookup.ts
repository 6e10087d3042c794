import type { Json, JsonObject } from "../../base/json.ts";
import type { Services } from "../services.ts";
import { decodeLease, LEASE_PREFIX, type LeaseRecord } from "./record.ts";
import { irrevocablePages, leasesOfPrincipal, readLease } from "./store.ts";

const PAGE = 1000;

/**
 * A lease's data, found by its id or, failing that, by what the backend calls its credential. Null: no such lease.
 * @see reference: leases, lookup. `state`, `principal`, `label`, the owner's and the failure's figures are ours.
 */
export async function lookupLease(services: Services, name: string): Promise<JsonObject | null> {
  const lease = (await readLease(services, name)) ?? (await leasesOfPrincipal(services, name))[0];
  return lease === undefined ? null : describe(lease.record, services.clock.now());
}

function describe(record: LeaseRecord, now: number): JsonObject {
  const data: Record<string, Json> = {
    expire_time: new Date(record.expiresAt).toISOString(),
    id: record.id,
    issue_time: new Date(record.issuedAt).toISOString(),
    last_renewal: record.renewedAt === null ? null : new Date(record.renewedAt).toISOString(),
    path: record.id.slice(0, record.id.lastIndexOf("/")),
    renewable: record.renewable && record.state === "active",
    ttl: Math.round((record.expiresAt - now) / 1000),
  };
  if (record.principal !== null) data.principal = record.principal;
  if (record.label !== undefined) data.label = record.label;
  if (record.owner !== undefined) {
    data.owner_host = record.owner.host.hostname;
    data.owner_pid = record.owner.pid;
  }
  if (record.state !== "active") data.state = record.state;
  if (record.failure !== null) {
    data.revoke_attempts = record.failure.attempts;
    data.revoke_error = record.failure.error;
  }
  return data;
}

/** The names directly below a prefix of lease ids, sorted; folders end in `/`. */
export async function listLeases({ barrier }: Services, prefix: string): Promise<string[]> {
  const below = prefix === "" ? "" : `${prefix.replace(/\/+$/, "")}/`;
  const names: string[] = [];
  let after: string | undefined;
  do {
    const request = after === undefined ? { limit: PAGE } : { limit: PAGE, after };
    const page = await barrier.list(LEASE_PREFIX + below, request);
    names.push(...page.names);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return names.sort();
}

/** One page of leases below a prefix. */
export interface DetailsPage {
  /** As {@link lookupLease} describes each. */
  readonly leases: readonly JsonObject[];
  /** What to go on after: a place in the store, which says nothing by itself. Empty: this is the last page. */
  readonly next: string;
}

/** The leases below a prefix, a page at a time, in no particular order. */
export async function leaseDetails(
  { barrier, clock }: Services,
  { prefix, after, limit }: { readonly prefix: string; readonly after: string; readonly limit: number },
): Promise<DetailsPage> {
  const below = prefix === "" ? "" : `${prefix.replace(/\/+$/, "")}/`;
  const request = after === "" ? { limit } : { limit, after };
  const page = await barrier.scan(LEASE_PREFIX + below, request);
  const now = clock.now();
  return {
    leases: page.entries.map((entry) => describe(decodeLease(entry).record, now)),
    next: page.next ?? "",
  };
}

export interface Irrevocable {
  readonly total: number;
  /** Counts by mount accessor. */
  readonly byMount: Readonly<Record<string, number>>;
  readonly rows: readonly LeaseRecord[];
}

/** The leases that count as irrevocable: all of them counted, the first `limit` in full. */
export async function irrevocableLeases(services: Services, limit: number): Promise<Irrevocable> {
  const byMount: Record<string, number> = {};
  const rows: LeaseRecord[] = [];
  let total = 0;
  for await (const page of irrevocablePages(services)) {
    total += page.length;
    for (const { record } of page) byMount[record.mountAccessor] = (byMount[record.mountAccessor] ?? 0) + 1;
    rows.push(...page.slice(0, Math.max(0, limit - rows.length)).map((lease) => lease.record));
  }
  return { total, byMount, rows };
}
