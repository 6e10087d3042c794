import { formatDuration } from "../base/duration.ts";
import { badRequest } from "../base/errors.ts";

/** Vault's system default and maximum lease TTL: 768 hours. */
export const SYSTEM_TTL_SECONDS = 768 * 3600;

export interface TtlRequest {
  /** What the caller asks for; 0: nothing. */
  readonly incrementSeconds: number;
  /** The role's own TTL; 0: none. */
  readonly ttlSeconds: number;
  /** The role's maximum; 0: none. */
  readonly maxTtlSeconds: number;
  /** Of a periodic token; it takes the place of the TTL. Absent or 0: none. */
  readonly periodSeconds?: number;
  /** A token's ceiling that no renewal moves, periodic ones included. Absent or 0: none. */
  readonly explicitMaxTtlSeconds?: number;
  /** The mount's effective figures. */
  readonly mount: { readonly defaultSeconds: number; readonly maxSeconds: number };
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** When the lease was issued; `now` for a new one. */
  readonly issuedAt: number;
}

export interface Ttl {
  readonly seconds: number;
  readonly warnings: readonly string[];
}

/**
 * Resolves a TTL: it runs from now, and may not pass the maximum counted from issue. A period is not bound by that maximum,
 * only by an explicit one.
 * @throws ApiError 400 `past the max TTL, cannot renew`.
 * @see reference: TTL resolution, compute(). Times are truncated to seconds there, and so here.
 */
export function resolveTtl(request: TtlRequest): Ttl {
  const { mount, maxTtlSeconds, periodSeconds = 0, explicitMaxTtlSeconds = 0 } = request;
  const maxSeconds = leastGiven(mount.maxSeconds, maxTtlSeconds, explicitMaxTtlSeconds);
  if (maxSeconds <= 0) throw badRequest("max TTL must be greater than zero");
  const start = Math.trunc(request.issuedAt / 1000);
  if (periodSeconds > 0) {
    const seconds = Math.min(periodSeconds, maxSeconds);
    const warnings = seconds === periodSeconds ? [] : [periodWarning(periodSeconds, maxSeconds)];
    const limit = explicitMaxTtlSeconds > 0 ? start + explicitMaxTtlSeconds : null;
    return withinLimit(request, { seconds, warnings }, limit);
  }
  const seconds = request.incrementSeconds || request.ttlSeconds || mount.defaultSeconds;
  return withinLimit(request, { seconds, warnings: [] }, start + maxSeconds);
}

/** The least of the mount's figure and those of the others that are given at all. */
function leastGiven(mountSeconds: number, ...others: readonly number[]): number {
  return Math.min(mountSeconds, ...others.filter((seconds) => seconds > 0));
}

/** @param limit - The end that may not be passed, in seconds since the epoch. Null: none. */
function withinLimit(request: TtlRequest, ttl: Ttl, limit: number | null): Ttl {
  if (limit === null) return ttl;
  const left = limit - Math.trunc(request.now / 1000);
  if (left <= 0) throw badRequest("past the max TTL, cannot renew");
  if (ttl.seconds <= left) return ttl;
  const warning =
    `TTL of "${formatDuration(ttl.seconds)}" exceeded the effective max_ttl of "${formatDuration(left)}"; ` +
    "TTL value is capped accordingly";
  return { seconds: left, warnings: [...ttl.warnings, warning] };
}

function periodWarning(periodSeconds: number, maxSeconds: number): string {
  return (
    `period of "${formatDuration(periodSeconds)}" exceeded the effective max_ttl of "${formatDuration(maxSeconds)}"; ` +
    "period value is capped accordingly"
  );
}
