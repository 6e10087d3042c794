import type { TokenRecord } from "./record.ts";

/** A caller whose token was found good. */
export interface Caller {
  /** The token's keyed hash. */
  readonly tokenHash: string;
  /** As it was found; the number of uses left is the one from before this request. */
  readonly record: TokenRecord;
  /** The version of the token's entry; 0 for a batch token, which has none. */
  readonly version: number;
  /** The token itself. */
  readonly token: string;
  readonly batch: boolean;
}

/**
 * Under whose name the caller's leases are indexed: its token's hash. What a batch token asks for belongs to its parent; one
 * without a parent has a name of its own, which no token's hash is.
 */
export function leaseOwner(caller: Caller): string {
  if (!caller.batch) return caller.tokenHash;
  return caller.record.parentHash ?? ORPHAN_BATCH_PREFIX + caller.tokenHash;
}

/** How the names of owners begin that are batch tokens without a parent. */
export const ORPHAN_BATCH_PREFIX = "batch.";
