import type { JsonObject } from "../../base/json.ts";
import type { Secret } from "../../base/secret.ts";

/** Seals whose one key a machine, its environment or one person holds. Each is a {@link Seal}. */
export const WHOLE_KEY_SEALS = ["keychain", "key-file", "passphrase", "env"] as const;
export type WholeKeySeal = (typeof WHOLE_KEY_SEALS)[number];

/** The seal types a store can have. The key of a `shamir` seal is in shares, which people hold and nothing else. */
export const SEAL_TYPES = [...WHOLE_KEY_SEALS, "shamir"] as const;
export type SealType = (typeof SEAL_TYPES)[number];

/** How the root key of a store is protected; stored in clear beside the encrypted entries, so it holds nothing secret. */
export interface SealConfig {
  readonly type: SealType;
  /** The store's id, which names keychain items and key files. */
  readonly storeId: string;
  /** What the type needs to find or derive the key: a file's path, a salt and costs. */
  readonly params: JsonObject;
}

/** Gives the root key of a store. */
export interface Seal {
  readonly type: WholeKeySeal;
  /**
   * Protects a new store's root key.
   * @param rootKey - 32 bytes.
   * @returns What {@link Seal.open} needs later.
   * @throws SEAL_UNAVAILABLE when this machine or environment cannot hold it, with what to do next.
   */
  protect(rootKey: Uint8Array, storeId: string): Promise<SealConfig>;
  /**
   * Null: the key is not to be had without a person (a passphrase that was not given): the store is sealed.
   * @throws SEAL_UNAVAILABLE when the keychain, file or variable is missing; SEAL_WRONG_KEY when it is of another store or damaged.
   */
  open(config: SealConfig): Promise<Uint8Array | null>;
  /**
   * The root key, from what somebody gives who claims to hold the store's key: the passphrase, the value of VSEC_SEAL_KEY, or
   * the content of the key file or keychain item. Leaves nothing behind.
   * @throws SEAL_WRONG_KEY when it is not that; USAGE when it cannot be.
   */
  prove(config: SealConfig, key: Secret<string>): Promise<Uint8Array>;
  /** Removes what `protect` left outside of the store. Does not throw for something absent. */
  forget(config: SealConfig): Promise<void>;
}
