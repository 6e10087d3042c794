import { isSameConfig } from "../../barrier/seal-config.ts";
import type { SealConfig } from "../../barrier/seals/port.ts";
import { badRequest } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type { Authority } from "./authority.ts";
import { Parts, wipe } from "./parts.ts";

/** What the ceremonies, in which the holders of the store's key act together, work with. */
export interface CeremonyWorld {
  readonly random: Random;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  now(): number;
  /** The store's present seal. */
  config(): Promise<SealConfig>;
  authority(config: SealConfig): Authority;
  /** Replaces the store's seal, in one write. @throws STORE_CONFLICT when it is not `from` any more. */
  replace(from: SealConfig, to: SealConfig): Promise<void>;
  /** Removes what a seal left outside of the store. */
  forget(config: SealConfig): Promise<void>;
  /** Makes a root token. @returns The token. */
  mint(): Promise<string>;
  /** True: whoever asks runs in this process, which opened the store with its key; and it ends with the request. */
  readonly isOneShot: boolean;
}

/** How a ceremony names itself in refusals. */
export interface CeremonyWords {
  /** `no barrier rekey in progress` */
  readonly notStarted: string;
  /** `rekey`, as in "nonce for this rekey operation is". */
  readonly operation: string;
}

/** @throws ApiError 400 where what is collected now would be gone before the next request. */
export function requireKept({ isOneShot }: CeremonyWorld): void {
  if (!isOneShot) return;
  throw badRequest(
    "this takes several requests, and what they bring is kept by a daemon, which does not run: start `vsec daemon`, then try again",
  );
}

/** @throws ApiError 400 unless the nonce is the operation's. */
export function requireNonce(given: string, nonce: string, operation: string): void {
  if (given === nonce) return;
  throw badRequest(`incorrect nonce supplied; nonce for this ${operation} operation is "${nonce}"`);
}

/** @throws ApiError 400 for an empty key. */
export function requireKey(key: string): void {
  if (key === "") throw badRequest("'key' must be specified in request body as JSON");
}

/** The keys that the store's holders give for one ceremony. */
export class GivenKeys {
  readonly #parts = new Parts();
  #config: SealConfig | undefined;

  get count(): number {
    return this.#parts.count;
  }

  /**
   * Takes one key.
   * @returns The root key, and the seal that it was proven for; null: it takes more keys.
   * @throws ApiError 400 for what is no key, was given before, or is not of the store; after that the count is 0 again.
   */
  async give(world: CeremonyWorld, key: string): Promise<{ rootKey: Uint8Array; config: SealConfig } | null> {
    const config = await world.config();
    const authority = world.authority(config);
    const part = authority.read(key, "");
    // Shares from before a rekey cannot be joined with those from after it.
    if (this.#config !== undefined && !isSameConfig(this.#config, config)) this.clear();
    this.#config = config;
    if (!this.#parts.add(part)) {
      throw badRequest("given key has already been provided during this generation operation");
    }
    if (this.#parts.count < authority.threshold) return null;
    const parts = this.#parts.take();
    try {
      return { rootKey: await authority.rootKey(parts, ""), config };
    } finally {
      wipe(parts);
    }
  }

  /** Forgets what was given. */
  clear(): void {
    this.#parts.clear();
    this.#config = undefined;
  }
}
