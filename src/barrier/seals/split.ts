import { checkType, countParam } from "./params.ts";
import type { SealConfig } from "./port.ts";

/** Into how many shares a key is split, and how many of them give it back. */
export interface Split {
  readonly shares: number;
  readonly threshold: number;
}

/** The coordinates of shares are the bytes above 0. */
export const SHARES_MAX = 255;

/**
 * Why a split cannot be. Undefined: it can.
 * @see reference: init and unseal, errors.
 */
export function splitRefusal({ shares, threshold }: Split): string | undefined {
  if (shares < 1) return "shares must be at least one";
  if (threshold < 1) return "threshold must be at least one";
  if (shares > 1 && threshold === 1) return "threshold must be greater than one for multiple shares";
  if (shares > SHARES_MAX) return "shares must be less than 256";
  if (threshold > SHARES_MAX) return "threshold must be less than 256";
  if (threshold > shares) return "threshold cannot be larger than shares";
  return undefined;
}

/** How a store's key is split. @throws BARRIER_DAMAGED when the configuration cannot be believed. */
export function splitOf(config: SealConfig): Split {
  checkType(config, "shamir");
  const shares = countParam(config, "shares", 1, SHARES_MAX);
  return { shares, threshold: countParam(config, "threshold", 1, shares) };
}
