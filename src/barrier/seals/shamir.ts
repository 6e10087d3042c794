import { timingSafeEqual } from "node:crypto";
import { combine, split } from "shamir-secret-sharing";
import { VsecError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { deriveKey, KEY_BYTES } from "../derive.ts";
import { checkType } from "./params.ts";
import type { SealConfig } from "./port.ts";
import { checkParam, requireMatch } from "./root-key-text.ts";
import { type Split, splitRefusal } from "./split.ts";
import { unwrapParam, wrapParam } from "./wrap.ts";

/** A new unseal key, and the configuration of a store whose root key it wraps. */
export interface ShamirSealed {
  readonly config: SealConfig;
  /** 32 bytes; its shares are what opens the store. */
  readonly unsealKey: Uint8Array;
  /** The unseal key itself where there is one share; else each 33 bytes, the coordinate last, as Vault's are. */
  readonly shares: readonly Uint8Array[];
}

/**
 * Wraps a root key under a new unseal key, and splits that.
 * @throws USAGE for a split that cannot be.
 */
export async function shamirSeal(
  rootKey: Uint8Array,
  storeId: string,
  into: Split,
  random: Random,
): Promise<ShamirSealed> {
  const refusal = splitRefusal(into);
  if (refusal !== undefined) throw new VsecError("USAGE", refusal);
  const unsealKey = Uint8Array.from(random.bytes(KEY_BYTES));
  const { wrapped } = wrapParam(wrappingKey(unsealKey, storeId), rootKey, storeId, random);
  const params = { ...into, wrapped, ...checkParam(rootKey, storeId) };
  const config: SealConfig = { type: "shamir", storeId, params };
  const shares = await splitKey(unsealKey, into);
  // What is handed out must open the store: a share set that did not would only be missed when it is too late.
  const joined = await joinShares(shares.slice(0, into.threshold));
  if (!timingSafeEqual(joined, unsealKey)) {
    throw new VsecError("SEAL_UNAVAILABLE", "the shares of the unseal key do not give it back; try again");
  }
  requireMatch(config, openShamir(config, joined), "the unseal key");
  return { config, unsealKey, shares };
}

/** The root key. @throws SEAL_WRONG_KEY when the unseal key is not the store's present one. */
export function openShamir(config: SealConfig, unsealKey: Uint8Array): Uint8Array {
  checkType(config, "shamir");
  const refusal = `the keys given are not those of store ${config.storeId}`;
  if (unsealKey.length !== KEY_BYTES) throw new VsecError("SEAL_WRONG_KEY", refusal);
  const rootKey = unwrapParam(config, wrappingKey(unsealKey, config.storeId), refusal);
  return requireMatch(config, rootKey, "the unseal key");
}

/**
 * Joins shares. What comes out is only known to be the key once it opens something.
 * @param shares - One whole key, or at least two shares.
 * @throws SEAL_WRONG_KEY when they cannot be shares of one key.
 */
export async function joinShares(shares: readonly Uint8Array[]): Promise<Uint8Array> {
  const [first, ...rest] = shares;
  if (first === undefined) throw new VsecError("SEAL_WRONG_KEY", "no shares were given");
  if (rest.length === 0) return first;
  const coordinates = shares.map((share) => share.at(-1) ?? 0);
  if (shares.some((share) => share.length !== first.length) || first.length < 2) {
    throw new VsecError("SEAL_WRONG_KEY", "all parts must be the same length");
  }
  if (coordinates.includes(0)) throw new VsecError("SEAL_WRONG_KEY", "a part has no coordinate");
  if (new Set(coordinates).size < shares.length) {
    throw new VsecError("SEAL_WRONG_KEY", "duplicate part detected");
  }
  // The library looks at the constructor: a Buffer would be refused.
  return await combine(shares.map((share) => Uint8Array.from(share)));
}

async function splitKey(key: Uint8Array, { shares, threshold }: Split): Promise<readonly Uint8Array[]> {
  // One share is the key itself, without a coordinate, as in Vault.
  return shares === 1 ? [Uint8Array.from(key)] : await split(key, shares, threshold);
}

function wrappingKey(unsealKey: Uint8Array, storeId: string) {
  return deriveKey(unsealKey, "vsec seal shamir v1", storeId);
}
