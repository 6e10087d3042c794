import type { Split } from "../../barrier/seals/split.ts";
import type { JsonObject } from "../../base/json.ts";
import type { GenerateRoot } from "../seal/generate-root.ts";
import type { Rekey } from "../seal/rekey.ts";

/** Where a store stands. */
export interface SealState {
  readonly initialized: boolean;
  readonly sealed: boolean;
  /** The seal's type; "" before init. */
  readonly sealType: string;
  readonly storageType: string;
  /** The store's id; "" before init. */
  readonly storeId: string;
  /** How many keys there are, and how many of them open the store; 0 before init. */
  readonly shares: number;
  readonly threshold: number;
  /** How many of them the present attempt to unseal has, and its name; 0 and "" where there is none. */
  readonly progress: number;
  readonly nonce: string;
}

export interface InitResult {
  readonly rootToken: string;
  /** The shares of a Shamir seal, shown once; none for other seals. */
  readonly keys: readonly Uint8Array[];
  /** How the root key is protected, for people: its type and where it lies. Nothing secret. */
  readonly seal: JsonObject;
}

/** What can be done to a store whether it is sealed or not. The instance carries it out. */
export interface SealControl {
  state(): Promise<SealState>;
  /**
   * Makes a new store.
   * @param seal - A seal's type; null: the best that this machine has; or how a Shamir seal's key is split.
   * @throws ApiError 400 `Vault is already initialized`; SEAL_UNAVAILABLE.
   */
  init(seal: string | Split | null): Promise<InitResult>;
  /**
   * Takes a key, or one share of it: {@link SealControl.state} tells whether that was enough.
   * @throws ApiError 400 for a wrong key, for a seal that needs no key from a person, and before init.
   */
  unseal(key: string): Promise<void>;
  /** Forgets the shares that were given so far. @throws ApiError 400 when the store is unsealed. */
  resetUnseal(): Promise<void>;
  /** Forgets the key, here and where an unseal left it. */
  seal(): Promise<void>;
  /** The one rekey of this store in this process. */
  rekey(): Promise<Rekey>;
  /** The one generation of a root token in this process. */
  generateRoot(): Promise<GenerateRoot>;
}
