import { badRequest } from "../../base/errors.ts";
import { randomUuid } from "../../base/random.ts";
import { encodeWithOtp, newOtp, OTP_CHARS } from "../../base/root-otp.ts";
import { type CeremonyWorld, GivenKeys, requireKept, requireKey, requireNonce } from "./ceremony.ts";
import { Turns } from "./turns.ts";

/** Where the generation of a root token stands. */
export interface RootStatus {
  readonly started: boolean;
  readonly nonce: string;
  readonly progress: number;
  readonly required: number;
  readonly complete: boolean;
  /** Base64 without padding of the token XOR the one-time password; "" until it is complete. */
  readonly encodedToken: string;
  /** The one-time password, in the answer to the start that made it; else "". */
  readonly otp: string;
}

interface Pending {
  readonly nonce: string;
  readonly otp: Uint8Array;
  readonly given: GivenKeys;
}

/**
 * Makes a root token when enough holders of the store's key agree. The token leaves encoded with a one-time password, which only
 * who started it has, so that none of the holders sees it. In memory: it ends with the process or by `cancel`.
 */
export class GenerateRoot {
  readonly #world: CeremonyWorld;
  readonly #turns = new Turns();
  #pending: Pending | null = null;

  constructor(world: CeremonyWorld) {
    this.#world = world;
  }

  async status(): Promise<RootStatus> {
    return {
      started: this.#pending !== null,
      nonce: this.#pending?.nonce ?? "",
      progress: this.#pending?.given.count ?? 0,
      required: this.#world.authority(await this.#world.config()).threshold,
      complete: false,
      encodedToken: "",
      otp: "",
    };
  }

  /** @param otp - "": one is made, and shown in the answer. @throws ApiError 400 */
  start(otp: string): Promise<RootStatus> {
    return this.#turns.take(async () => {
      requireKept(this.#world);
      const { random } = this.#world;
      const used = otp === "" ? newOtp(random) : otp;
      const bytes = Buffer.from(used, "utf8");
      if (bytes.length !== OTP_CHARS) throw badRequest("OTP string has incorrect length");
      if (this.#pending !== null) throw badRequest("root generation already in progress");
      this.#pending = { nonce: randomUuid(random), otp: bytes, given: new GivenKeys() };
      return { ...(await this.status()), otp: otp === "" ? used : "" };
    });
  }

  /** Forgets the operation and its keys. */
  cancel(): void {
    this.#pending?.given.clear();
    this.#pending?.otp.fill(0);
    this.#pending = null;
  }

  /** Takes one of the store's keys. @throws ApiError 400 */
  give(key: string, nonce: string): Promise<RootStatus> {
    return this.#turns.take(async () => {
      requireKey(key);
      const pending = this.#pending;
      if (pending === null) throw badRequest("no root generation in progress");
      requireNonce(nonce, pending.nonce, "root generation");
      const proven = await pending.given.give(this.#world, key);
      if (proven === null) return this.status();
      proven.rootKey.fill(0);
      if (this.#pending !== pending) throw badRequest("no root generation in progress");
      const { threshold } = this.#world.authority(proven.config);
      const encodedToken = encodeWithOtp(await this.#world.mint(), pending.otp);
      this.cancel();
      const done = { started: true, complete: true, progress: threshold, required: threshold };
      return { ...done, nonce, encodedToken, otp: "" };
    });
  }

  /**
   * Makes a root token for the one holder of a key that is not split. In the process that opened the store with that key,
   * it need not be given again.
   * @returns The token. @throws ApiError 400
   */
  once(key: string): Promise<string> {
    return this.#turns.take(async () => {
      const config = await this.#world.config();
      const authority = this.#world.authority(config);
      if (authority.threshold > 1) {
        throw badRequest(
          `the store's key is split, and ${authority.threshold} of its ${authority.shares} shares are needed: use sys/generate-root/attempt`,
        );
      }
      if (key !== "" || !this.#world.isOneShot || config.type === "shamir") {
        requireKey(key);
        (await authority.rootKey([authority.read(key, "")], "")).fill(0);
      }
      return await this.#world.mint();
    });
  }
}
