import type { StoredEntry } from "../../barrier/port.ts";
import { mapBounded } from "../../base/bounded.ts";
import { badRequest } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import type { Services } from "../services.ts";
import { BulkEnding, type Ending } from "./bulk-ending.ts";
import { endLease, endLeases, type Outcome, outcomeOf, sumOf } from "./end.ts";
import { type Doomed, PrefixMark } from "./prefix-mark.ts";
import type { LeaseRecord, StoredLease } from "./record.ts";
import { TAKEN_MS } from "./revoke.ts";
import { forgetLeases, leaseSwaths, leasesUnder, readLease } from "./store.ts";

/** How many batches are worked on at a time: while three are at the backend, the next one is read. */
const BATCHES_AT_ONCE_MAX = 4;

/** For so long the leases of a revocation of many are not taken one by one. What a slow backend has left by then, is. */
const UNTAKEN_MS = TAKEN_MS / 4;

const NONE: Outcome = { revoked: 0, failed: [] };

/**
 * Revokes every lease below a prefix. First a mark is made, durably, so that a kill in the middle leaves the rest to due work;
 * then they are revoked in batches.
 * @param only - Leaves out the leases for which it is false.
 */
export async function endLeasesUnder(
  services: Services,
  doomed: Doomed,
  only: (record: LeaseRecord) => boolean = () => true,
): Promise<Outcome> {
  const { prefix, mountUuid } = doomed;
  const wants = ({ record }: StoredLease): boolean =>
    (mountUuid === undefined || record.mountUuid === mountUuid) && only(record);
  const exact = await readLease(services, prefix);
  if (exact !== null && wants(exact)) return outcomeOf(await endLease(services, prefix));
  const bulk = await BulkEnding.begin(services);
  const pages = wantedPages(services, prefix, wants);
  const first = await pages.next();
  if (first.done === true) return NONE;
  const mark = await PrefixMark.make(services, doomed);
  failpoint("revoke-prefix:due");
  return endMarked(services, mark, bulk, precededBy(first.value, pages));
}

/**
 * Due work: goes on for one page with a revocation of many whose process is gone, and has it due again at once if more is left.
 * Leases whose revocation has begun are due by themselves.
 */
export async function settlePrefixMark(services: Services, entry: StoredEntry): Promise<Outcome> {
  const mark = await PrefixMark.take(services, entry);
  if (mark === null) return NONE;
  const bulk = await BulkEnding.begin(services);
  const pages = wantedPages(
    services,
    mark.doomed.prefix,
    (lease) => lease.record.state !== "revoking" && mark.covers(lease),
  );
  const page = await pages.next();
  const outcome = page.done === true ? NONE : await bulk.end(page.value);
  const isLast = page.done === true || (await pages.next()).done === true;
  return sumOf([outcome, await bulk.finish([isLast ? mark.removal() : mark.continuation()])]);
}

/** The pages that hold a lease that is wanted, without the others. */
async function* wantedPages(
  services: Services,
  prefix: string,
  wants: (lease: StoredLease) => boolean,
): AsyncGenerator<Ending> {
  for await (const page of leaseSwaths(services, prefix)) {
    const leases = page.leases.filter(wants);
    const swath = leases.length === page.leases.length ? page.swath : undefined;
    if (leases.length > 0) yield { leases, swath };
  }
}

async function* precededBy<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

/** The mark goes with the last of the leases. */
async function endMarked(
  services: Services,
  mark: PrefixMark,
  bulk: BulkEnding,
  pages: AsyncIterable<Ending>,
): Promise<Outcome> {
  const untakenUntil = services.clock.now() + UNTAKEN_MS;
  const outcomes = await mapBounded(pages, BATCHES_AT_ONCE_MAX, async (page) => {
    await mark.keep();
    return services.clock.now() < untakenUntil ? bulk.end(page) : endLeases(services, page.leases);
  });
  outcomes.push(await bulk.finish([mark.removal()]));
  failpoint("revoke-prefix:forgotten");
  return sumOf(outcomes);
}

/** A part of a revocation by prefix, so that whoever asks can say how far it is. */
export interface PrefixPart extends Outcome {
  /** How many leases there were; only in the first part. */
  readonly total: number | undefined;
  /** Where the next part goes on; undefined: this was the last one. */
  readonly next: string | undefined;
}

/**
 * Does one part of what {@link endLeasesUnder} does. The mark stays from part to part, and has somebody go on if no more comes.
 * @param after - {@link PrefixPart.next} of the part before.
 * @throws ApiError 400 when it is none.
 */
export async function endPartUnder(
  services: Services,
  prefix: string,
  after: string | undefined,
): Promise<PrefixPart> {
  const total = after === undefined ? await countUnder(services, prefix) : undefined;
  if (total === 0) return { ...NONE, total, next: undefined };
  const place = after === undefined ? undefined : placeOf(after);
  const mark = await (place === undefined
    ? PrefixMark.make(services, { prefix })
    : PrefixMark.at(services, place.mark, prefix));
  await mark?.keep();
  const bulk = await BulkEnding.begin(services);
  const { value: page } = await leaseSwaths(services, prefix, place?.cursor).next().catch(refuseCursor);
  const outcome = page === undefined ? NONE : await bulk.end(page);
  const isLast = page?.next === undefined;
  const rest = await bulk.finish(isLast && mark !== null ? [mark.removal()] : []);
  const name = mark?.name ?? place?.mark;
  return { ...sumOf([outcome, rest]), total, next: isLast ? undefined : `${name} ${page.next}` };
}

async function countUnder(services: Services, prefix: string): Promise<number> {
  let total = 0;
  for await (const page of leasesUnder(services, prefix)) total += page.length;
  return total;
}

/** Where a part goes on: the mark's name, and the place in the store. */
function placeOf(after: string): { readonly mark: string; readonly cursor: string } {
  const [, mark, cursor] = /^([A-Za-z0-9]+) (.+)$/.exec(after) ?? [];
  if (mark === undefined || cursor === undefined) throw badRequest(NO_PLACE);
  return { mark, cursor };
}

const NO_PLACE = "after must be what the answer to the part before says";

/** The store takes no cursor that it has not given. */
function refuseCursor(error: unknown): never {
  throw error instanceof RangeError ? badRequest(NO_PLACE, error) : error;
}

/**
 * Revokes every lease below a prefix, and forgets also those whose secrets could not be revoked: the operator's word that
 * the backend is gone for good. What is left behind is returned, so that it can be named.
 */
export async function forceLeasesUnder(services: Services, prefix: string): Promise<readonly LeaseRecord[]> {
  const { failed } = await endLeasesUnder(services, { prefix });
  const left: StoredLease[] = [];
  for (const { record } of failed) {
    const lease = await readLease(services, record.id);
    if (lease !== null) left.push(lease);
  }
  await forgetLeases(services, left);
  return left.map((lease) => lease.record);
}

/** Normalises a prefix from a request: no leading or trailing slash. @throws ApiError 400 for an empty one. */
export function leasePrefix(text: string): string {
  const prefix = text.replace(/^\/+|\/+$/g, "");
  if (prefix === "") throw badRequest("a prefix must be specified");
  return prefix;
}
