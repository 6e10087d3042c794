import { timingSafeEqual } from "node:crypto";
import { isSameConfig } from "../../barrier/seal-config.ts";
import type { SealConfig } from "../../barrier/seals/port.ts";
import { joinShares, type ShamirSealed, shamirSeal } from "../../barrier/seals/shamir.ts";
import { type Split, splitRefusal } from "../../barrier/seals/split.ts";
import { badRequest, hasCode, messageOf } from "../../base/errors.ts";
import { randomUuid } from "../../base/random.ts";
import { type CeremonyWorld, GivenKeys, requireKept, requireKey, requireNonce } from "./ceremony.ts";
import { decodePart, Parts, wipe } from "./parts.ts";
import { Turns } from "./turns.ts";

/** Where a rekey stands. */
export interface RekeyStatus {
  readonly started: boolean;
  readonly nonce: string;
  /** Of the new shares; zeros when nothing is started. */
  readonly into: Split;
  readonly progress: number;
  /** How many of the present keys it takes. */
  readonly required: number;
  readonly verificationRequired: boolean;
  /** "" until there are new shares to verify. */
  readonly verificationNonce: string;
}

/** The new shares, shown once. */
export interface RekeyDone {
  readonly nonce: string;
  readonly shares: readonly Uint8Array[];
  /** The new shares are valid once they have been given back. */
  readonly verificationRequired: boolean;
  readonly verificationNonce: string;
  readonly warnings: readonly string[];
}

export interface VerifyStatus {
  readonly started: boolean;
  readonly nonce: string;
  readonly into: Split;
  readonly progress: number;
}

/** New shares that wait to be given back by their holders. */
interface Unverified {
  readonly from: SealConfig;
  readonly sealed: ShamirSealed;
  readonly given: Parts;
  readonly nonce: string;
}

interface Pending {
  readonly nonce: string;
  readonly into: Split;
  readonly verifies: boolean;
  readonly given: GivenKeys;
  unverified: Unverified | null;
}

/** The new shares, for whoever gave the last key and did not get the answer. */
interface Answered {
  readonly done: RekeyDone;
  readonly key: string;
  readonly untilMs: number;
}

/** How long an answer that was lost on its way can be asked for again. */
const ANSWER_KEPT_MS = 10 * 60 * 1000;

const NOTHING: Split = { shares: 0, threshold: 0 };

/**
 * Gives the store a new unseal key, split into new shares. The root key stays, so nothing else is encrypted anew: the
 * configuration of the seal is replaced in one write. Before it the old shares open the store, after it the new ones.
 *
 *   idle ─start→ collecting the present keys ─enough→ done, or, with verification: collecting the new shares ─all good→ done
 *
 * With the last key the new shares are answered, and whoever gave it can ask again by giving it again, for ten minutes: an answer
 * that was lost on its way, or that no audit device could record, would else be the only one who knows the new key.
 *
 * A wrong key takes the collecting back to its beginning. Everything is in memory and ends with the process or by `cancel`,
 * which leaves the store as it was.
 */
export class Rekey {
  readonly #world: CeremonyWorld;
  readonly #turns = new Turns();
  #pending: Pending | null = null;
  #answered: Answered | null = null;

  constructor(world: CeremonyWorld) {
    this.#world = world;
  }

  async status(): Promise<RekeyStatus> {
    const required = this.#world.authority(await this.#world.config()).threshold;
    const pending = this.#pending;
    return {
      started: pending !== null,
      nonce: pending?.nonce ?? "",
      into: pending?.into ?? NOTHING,
      progress: pending?.given.count ?? 0,
      required,
      verificationRequired: pending?.verifies ?? false,
      verificationNonce: pending?.unverified?.nonce ?? "",
    };
  }

  /** @throws ApiError 400 while another is under way, or for a split that cannot be. */
  start(into: Split, verifies: boolean): Promise<RekeyStatus> {
    return this.#turns.take(async () => {
      requireKept(this.#world);
      const refusal = splitRefusal(into);
      if (refusal !== undefined) throw badRequest(`invalid rekey seal configuration: ${refusal}`);
      if (this.#pending !== null) throw badRequest("rekey already in progress");
      this.#forgetAnswer();
      const nonce = randomUuid(this.#world.random);
      this.#pending = { nonce, into, verifies, given: new GivenKeys(), unverified: null };
      return this.status();
    });
  }

  /** Forgets the operation, its keys and its new shares. */
  cancel(): void {
    const pending = this.#pending;
    this.#pending = null;
    this.#forgetAnswer();
    pending?.given.clear();
    if (pending?.unverified) forgetShares(pending.unverified);
  }

  /**
   * Takes one of the present keys.
   * @returns The new shares; null: it takes more keys.
   * @throws ApiError 400
   */
  give(key: string, nonce: string): Promise<RekeyDone | null> {
    return this.#turns.take(async () => {
      requireKey(key);
      const again = this.#answerAgain(key, nonce);
      if (again !== null) return again;
      const pending = this.#pending;
      if (pending === null) throw badRequest("no barrier rekey in progress");
      requireNonce(nonce, pending.nonce, "rekey");
      if (pending.unverified !== null) {
        throw badRequest(
          `the new keys wait for their verification; nonce for the verification operation is "${pending.unverified.nonce}"`,
        );
      }
      const proven = await pending.given.give(this.#world, key);
      if (proven === null) return null;
      const { rootKey, config } = proven;
      try {
        const sealed = await shamirSeal(rootKey, config.storeId, pending.into, this.#world.random);
        const done = await this.#settle(pending, config, sealed);
        this.#answered = { done, key, untilMs: this.#world.now() + ANSWER_KEPT_MS };
        return done;
      } finally {
        rootKey.fill(0);
      }
    });
  }

  /** What was answered to this very key before; null when it was another one, or is too long ago. */
  #answerAgain(key: string, nonce: string): RekeyDone | null {
    const answered = this.#answered;
    if (answered === null) return null;
    if (this.#world.now() >= answered.untilMs) {
      this.#forgetAnswer();
      return null;
    }
    return answered.done.nonce === nonce && answered.key === key ? answered.done : null;
  }

  #forgetAnswer(): void {
    if (this.#answered !== null) wipe(this.#answered.done.shares);
    this.#answered = null;
  }

  async #settle(pending: Pending, from: SealConfig, sealed: ShamirSealed): Promise<RekeyDone> {
    const { nonce, verifies } = pending;
    // It was cancelled while the last key was looked at: the new shares never come to be.
    if (this.#pending !== pending) throw badRequest("no barrier rekey in progress");
    if (verifies) {
      const verificationNonce = randomUuid(this.#world.random);
      pending.unverified = { from, sealed, given: new Parts(), nonce: verificationNonce };
      // The state keeps shares of its own: what is handed out may be wiped, and what is kept must not be.
      const shares = sealed.shares.map((share) => Uint8Array.from(share));
      return { nonce, shares, verificationRequired: true, verificationNonce, warnings: [] };
    }
    const warnings = await this.#replace(from, sealed.config);
    sealed.unsealKey.fill(0);
    this.#pending = null;
    return { nonce, shares: sealed.shares, verificationRequired: false, verificationNonce: "", warnings };
  }

  verifyStatus(): VerifyStatus {
    const { pending, unverified } = this.#requireUnverified();
    const { nonce, given } = unverified;
    return { started: true, nonce, into: pending.into, progress: given.count };
  }

  /** Begins the verification anew, under a new nonce. */
  restartVerify(): VerifyStatus {
    const { pending, unverified } = this.#requireUnverified();
    unverified.given.clear();
    pending.unverified = { ...unverified, nonce: randomUuid(this.#world.random) };
    return this.verifyStatus();
  }

  /**
   * Takes one of the new shares.
   * @returns What the store's old seal left behind, for people; null: it takes more shares.
   * @throws ApiError 400
   */
  verify(key: string, nonce: string): Promise<{ nonce: string; warnings: readonly string[] } | null> {
    return this.#turns.take(async () => {
      requireKey(key);
      const { pending, unverified } = this.#requireUnverified();
      requireNonce(nonce, unverified.nonce, "verify");
      if (!unverified.given.add(decodePart(key, ""))) {
        throw badRequest("given key has already been provided during this verify operation");
      }
      if (unverified.given.count < pending.into.threshold) return null;
      await requireSame(unverified);
      const warnings = await this.#replace(unverified.from, unverified.sealed.config);
      this.cancel();
      return { nonce, warnings };
    });
  }

  /** @throws ApiError 400 when there are no new shares to verify. */
  #requireUnverified(): { pending: Pending; unverified: Unverified } {
    const pending = this.#pending;
    if (pending === null) throw badRequest("no barrier rekey in progress");
    if (pending.unverified === null) throw badRequest("no rekey verification in progress");
    return { pending, unverified: pending.unverified };
  }

  /** @returns What people have to know beside that it was done. */
  async #replace(from: SealConfig, to: SealConfig): Promise<readonly string[]> {
    const warnings: string[] = [];
    try {
      await this.#world.replace(from, to);
    } catch (error) {
      if (hasCode(error, "STORE_CONFLICT")) {
        this.cancel();
        throw badRequest("the store's seal was changed meanwhile, and stays as it is; start again", error);
      }
      const now = await this.#configNow();
      if (now !== null && !isSameConfig(now, to)) throw error;
      // The store does not tell which of the two it has: whoever loses one of them may lose the store.
      if (now === null) warnings.push(UNKNOWN);
    }
    if (from.type !== "shamir" && warnings.length === 0) warnings.push(...(await this.#forgetOld(from)));
    return warnings;
  }

  /** Null: the store does not answer. */
  async #configNow(): Promise<SealConfig | null> {
    try {
      return await this.#world.config();
    } catch (error) {
      this.#world.log.error("the store does not tell how it is sealed", { error: messageOf(error) });
      return null;
    }
  }

  /** From now on only the shares open the store. */
  async #forgetOld(from: SealConfig): Promise<readonly string[]> {
    try {
      await this.#world.forget(from);
      return [];
    } catch (error) {
      const text = `the key of the former ${from.type} seal could not be removed, and still opens the store: ${messageOf(error)}`;
      this.#world.log.error(text);
      return [text];
    }
  }
}

const UNKNOWN =
  "the store failed while its keys were replaced: keep the old keys and these until one of them has opened it";

function forgetShares({ sealed, given }: Unverified): void {
  given.clear();
  sealed.unsealKey.fill(0);
  wipe(sealed.shares);
}

/** @throws ApiError 400 when what was given back is not the new key; the count is 0 again. */
async function requireSame({ given, sealed }: Unverified): Promise<void> {
  const parts = given.take();
  try {
    const joined = await joinShares(parts);
    if (joined.length === sealed.unsealKey.length && timingSafeEqual(joined, sealed.unsealKey)) return;
  } catch (error) {
    if (!hasCode(error, "SEAL_WRONG_KEY")) throw error;
  } finally {
    wipe(parts);
  }
  throw badRequest("rekey verification failed: the keys given are not the new ones; give them again");
}
