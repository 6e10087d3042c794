import type { Clock } from "../../base/clock.ts";
import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type Random, randomFraction } from "../../base/random.ts";
import { numberDetail } from "./connection-url.ts";

/**
 * How many batches of revocations one server gets at a time, from one process. Of the connections that there may be where nothing
 * else is said, this leaves one for who waits for a credential.
 */
const BATCHES_AT_ONCE_MAX = 3;
/** Waits are made longer by up to this part, so that processes that share a server do not go on in step. */
const JITTER = 0.25;

const PARAMETER = "max_revocations_per_second";
/** Slower than this, a batch would take longer than its leases are held for. */
const PER_SECOND_MIN = 10;

/** What a connection says about its pace; 0: as fast as it goes. @throws ApiError 400. */
export function revocationsPerSecond(details: JsonObject): number {
  const number = numberDetail(details, PARAMETER);
  if (number === 0) return 0;
  if (number < PER_SECOND_MIN)
    throw badRequest(`${PARAMETER} must be 0 (no limit) or at least ${PER_SECOND_MIN}`);
  return number;
}

/** The pace of the revocations of one server: few at a time, and where the connection says so, not too many a second. */
export class RevocationPace {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #waiting: (() => void)[] = [];
  #active = 0;
  /** The bucket: users that may be revoked now; below 0 while those that were let through are being paid for. */
  #tokens = Number.POSITIVE_INFINITY;
  #filledAt = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Does `work` when it is its turn. */
  async turn<T>(work: () => Promise<T>): Promise<T> {
    while (this.#active >= BATCHES_AT_ONCE_MAX) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#active += 1;
    try {
      return await work();
    } finally {
      this.#active -= 1;
      this.#waiting.shift()?.();
    }
  }

  /**
   * Takes `count` out of the bucket, and waits until it has as many.
   * @param perSecond - How fast the bucket fills; it holds what comes in one second. 0: without limit.
   */
  async spend(count: number, perSecond: number): Promise<void> {
    if (perSecond <= 0) return;
    const now = this.#clock.now();
    const gained = Math.max(now - this.#filledAt, 0) * (perSecond / 1000);
    this.#tokens = Math.min(this.#tokens + gained, perSecond) - count;
    this.#filledAt = now;
    if (this.#tokens >= 0) return;
    const waitMs = (-this.#tokens / perSecond) * 1000;
    await this.#clock.sleep(waitMs * (1 + JITTER * randomFraction(this.#random)));
  }
}
