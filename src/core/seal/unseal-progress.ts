import { isSameConfig } from "../../barrier/seal-config.ts";
import type { SealConfig } from "../../barrier/seals/port.ts";
import { type Random, randomUuid } from "../../base/random.ts";
import { Parts, wipe } from "./parts.ts";

/** The shares of one attempt to unseal. They are collected in memory: an attempt ends with the process. */
export class UnsealProgress {
  readonly #random: Random;
  readonly #parts = new Parts();
  #nonce = "";
  #config: SealConfig | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  get count(): number {
    return this.#parts.count;
  }

  /** Names the attempt under way; "" when there is none. */
  get nonce(): string {
    return this.#nonce;
  }

  /**
   * Takes one share. One that was given before counts once.
   * @returns The root key; null: it takes more shares.
   * @throws ApiError 400 for what is no share, and for shares that do not open the store; the attempt has ended then.
   */
  async give(config: SealConfig, key: string): Promise<Uint8Array | null> {
    const { authorityOf } = await import("./authority.ts");
    const authority = authorityOf(config, refuseWholeKey);
    const part = authority.read(key, "invalid key: ");
    // Shares from before a rekey cannot be joined with those from after it.
    if (this.#config === undefined || !isSameConfig(this.#config, config)) this.reset();
    if (this.#parts.count === 0) this.#nonce = randomUuid(this.#random);
    this.#config = config;
    this.#parts.add(part);
    if (this.#parts.count < authority.threshold) return null;
    const parts = this.#parts.take();
    this.reset();
    try {
      return await authority.rootKey(parts, "invalid key: ");
    } finally {
      wipe(parts);
    }
  }

  /** Forgets the shares that were given. */
  reset(): void {
    this.#parts.clear();
    this.#nonce = "";
    this.#config = undefined;
  }
}

/** Only the seal of shares makes progress. */
function refuseWholeKey({ type }: SealConfig): never {
  throw new TypeError(`a ${type} seal is not opened by shares`);
}
