import type { SealConfig } from "../../barrier/seals/port.ts";
import { joinShares, openShamir } from "../../barrier/seals/shamir.ts";
import { splitOf } from "../../barrier/seals/split.ts";
import { badRequest, hasCode, messageOf } from "../../base/errors.ts";
import { decodePart } from "./parts.ts";

/** Whose keys it takes to act for a store: so many shares of a Shamir seal, or the one key of any other. */
export interface Authority {
  readonly shares: number;
  readonly threshold: number;
  /**
   * The bytes of what one holder gives.
   * @param prefix - What stands before the words about its length.
   * @throws ApiError 400 for what cannot be one.
   */
  read(key: string, prefix: string): Uint8Array;
  /**
   * The root key, from as many parts as the threshold says.
   * @param prefix - What stands before the words of a refusal.
   * @throws ApiError 400 when they are not those of the store.
   */
  rootKey(parts: readonly Uint8Array[], prefix: string): Promise<Uint8Array>;
}

/** Proves a whole key. @throws SEAL_WRONG_KEY, USAGE. */
export type Prove = (config: SealConfig, key: string) => Promise<Uint8Array>;

/** A passphrase has up to 1024 bytes; nothing that is a key is longer. */
const WHOLE_KEY_BYTES_MAX = 1100;

/** Who may act for a store that is sealed like this. */
export function authorityOf(config: SealConfig, prove: Prove): Authority {
  return config.type === "shamir" ? sharesAuthority(config) : wholeKeyAuthority(config, prove);
}

function sharesAuthority(config: SealConfig): Authority {
  return {
    ...splitOf(config),
    read: decodePart,
    async rootKey(parts, prefix) {
      const unsealKey = await orRefuse(`${prefix}failed to compute combined key`, () => joinShares(parts));
      const open = async () => openShamir(config, unsealKey);
      try {
        return await orRefuse(`${prefix}failed to decrypt keys from storage`, open);
      } finally {
        unsealKey.fill(0);
      }
    },
  };
}

function wholeKeyAuthority(config: SealConfig, prove: Prove): Authority {
  return {
    shares: 1,
    threshold: 1,
    read(key) {
      const bytes = Buffer.from(key, "utf8");
      if (bytes.length > WHOLE_KEY_BYTES_MAX) throw badRequest("invalid key: it is too long to be one");
      return bytes;
    },
    async rootKey([part]) {
      const key = Buffer.from(part ?? []).toString("utf8");
      return await orRefuse("invalid key", () => prove(config, key));
    },
  };
}

/** @throws ApiError 400 in the place of SEAL_WRONG_KEY and USAGE. */
async function orRefuse<T>(prefix: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!hasCode(error, "SEAL_WRONG_KEY") && !hasCode(error, "USAGE")) throw error;
    throw badRequest(`${prefix}: ${messageOf(error)}`, error);
  }
}
