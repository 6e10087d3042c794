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
 * Resolves a lease's TTL: it runs from now, and may not pass the maximum counted from issue.
 * @throws ApiError 400 `past the max TTL, cannot renew`.
 * @see reference: TTL resolution, compute(). Times are truncated to seconds there, and so here.
 */
export function resolveTtl(request: TtlRequest): Ttl {
  const now = Math.trunc(request.now / 1000);
  const start = Math.trunc(request.issuedAt / 1000);
  const maxSeconds =
    request.maxTtlSeconds > 0
      ? Math.min(request.mount.maxSeconds, request.maxTtlSeconds)
      : request.mount.maxSeconds;
  if (maxSeconds <= 0) throw badRequest("max TTL must be greater than zero");
  const wanted = request.incrementSeconds || request.ttlSeconds || request.mount.defaultSeconds;
  const left = start + maxSeconds - now;
  if (left <= 0) throw badRequest("past the max TTL, cannot renew");
  if (wanted <= left) return { seconds: wanted, warnings: [] };
  const warning =
    `TTL of "${formatDuration(wanted)}" exceeded the effective max_ttl of "${formatDuration(left)}"; ` +
    "TTL value is capped accordingly";
  return { seconds: left, warnings: [warning] };
}
