import { formatGoDuration } from "../../../base/duration.ts";
import { badRequest } from "../../../base/errors.ts";
import type { LeafBehavior } from "../issuers/record.ts";

/** What decides how long a certificate is valid. Durations are seconds, 0 for none; moments milliseconds. */
export interface ValidityTerms {
  readonly now: number;
  readonly notBeforeSeconds: number;
  /** As the caller asked. */
  readonly ttlSeconds: number;
  /** As the caller, or else the role, asked; empty: not at all. */
  readonly notAfter: string;
  readonly roleTtlSeconds: number;
  readonly roleMaxSeconds: number;
  readonly mount: { readonly defaultSeconds: number; readonly maxSeconds: number };
  /** Of the issuer's certificate; null: it signs itself. */
  readonly issuerNotAfter: number | null;
  readonly behavior: LeafBehavior;
}

export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
  readonly warnings: readonly string[];
}

const NOT_AFTER = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/;

/** Reads a fixed end of validity. @throws ApiError 400 */
export function parseNotAfter(text: string): number {
  const ms = NOT_AFTER.test(text) ? Date.parse(text) : Number.NaN;
  // The parser turns February 30 into March 2.
  const isReal = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text.slice(0, -1));
  if (!isReal)
    throw badRequest(`not_after ${JSON.stringify(text)} is not a time of the form YYYY-MM-ddTHH:MM:SSZ`);
  return ms;
}

/** How long a certificate is valid. @throws ApiError 400 @see reference: building a certificate, ttl and not_after. */
export function validityOf(terms: ValidityTerms): Validity {
  if (terms.ttlSeconds > 0 && terms.notAfter !== "") {
    throw badRequest(
      "Either ttl or not_after should be provided. Both should not be provided in the same request.",
    );
  }
  const warnings: string[] = [];
  const now = Math.floor(terms.now / 1000) * 1000;
  const wanted = terms.notAfter === "" ? now + ttlOf(terms, warnings) * 1000 : parseNotAfter(terms.notAfter);
  checkFuture(wanted, now);
  const notAfter = within(terms, wanted);
  // What is cut to an issuer that has expired would end before it begins.
  checkFuture(notAfter, now);
  return { notBefore: now - terms.notBeforeSeconds * 1000, notAfter, warnings };
}

function checkFuture(notAfter: number, now: number): void {
  if (notAfter > now) return;
  throw badRequest(`cannot satisfy request, as NotAfter date ${rfc3339(notAfter)} is in the past`);
}

function ttlOf(terms: ValidityTerms, warnings: string[]): number {
  const { mount, roleMaxSeconds } = terms;
  const ttl = terms.ttlSeconds || terms.roleTtlSeconds || mount.defaultSeconds;
  const max = roleMaxSeconds > 0 ? Math.min(roleMaxSeconds, mount.maxSeconds) : mount.maxSeconds;
  if (ttl <= max) return ttl;
  warnings.push(
    `TTL "${formatGoDuration(ttl)}" is longer than permitted maxTTL "${formatGoDuration(max)}", so maxTTL is being used`,
  );
  return max;
}

function within({ issuerNotAfter, behavior }: ValidityTerms, notAfter: number): number {
  if (issuerNotAfter === null || notAfter <= issuerNotAfter || behavior === "permit") return notAfter;
  if (behavior === "truncate") return issuerNotAfter;
  throw badRequest(
    `cannot satisfy request, as TTL would result in notAfter of ${rfc3339(notAfter)} that is beyond the expiration of the CA certificate at ${rfc3339(issuerNotAfter)}`,
  );
}

/** As Go writes a time in UTC (RFC 3339), without zeros at the end of its fraction. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, "Z");
}
