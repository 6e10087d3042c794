import type { JsonObject } from "../../base/json.ts";

/** Where a store stands. */
export interface SealState {
  readonly initialized: boolean;
  readonly sealed: boolean;
  /** The seal's type; "" before init. */
  readonly sealType: string;
  readonly storageType: string;
  /** The store's id; "" before init. */
  readonly storeId: string;
}

export interface InitResult {
  readonly rootToken: string;
  /** How the root key is protected, for people: its type and where it lies. Nothing secret. */
  readonly seal: JsonObject;
}

/** What can be done to a store whether it is sealed or not. The instance carries it out. */
export interface SealControl {
  state(): Promise<SealState>;
  /**
   * Makes a new store.
   * @param sealType - Null: the best that this machine has.
   * @throws ApiError 400 `Vault is already initialized`; SEAL_UNAVAILABLE.
   */
  init(sealType: string | null): Promise<InitResult>;
  /** @throws ApiError 400 for a wrong key; SEAL_UNAVAILABLE for a seal that needs no key from a person. */
  unseal(key: string): Promise<void>;
  /** Forgets the key, here and where an unseal left it. */
  seal(): Promise<void>;
}
