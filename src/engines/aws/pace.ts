import type { Clock } from "../../base/clock.ts";
import { Slots } from "../../framework/slots.ts";
import { isThrottled } from "./errors.ts";

/** Requests that are under way together. */
const AT_ONCE_MAX = 12;

/**
 * AWS does not tell how many requests to IAM an account may make. So many may come at once after a pause, and so many a second
 * after them; each refusal for their number halves that rate, and each second without one gives a part of it back.
 */
const BURST = 50;
const RATE_MAX = 100;
const RATE_MIN = 1;
/** What is refused within this is one refusal: the requests were under way already. */
const HALVE_AGAIN_MS = 1000;
/** A second by which the rate grows. */
const GROWTH = 2;

/**
 * The pace of a mount's requests to IAM, whichever of its clients make them: a mass revocation begins no faster than the rest
 * of the account can bear, and slows down as a whole. The SDK's own pauses between attempts come on top of it.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #slots = new Slots(AT_ONCE_MAX);
  /** Requests a second, as of `#ratedAt`. */
  #rate = RATE_MAX;
  #ratedAt = 0;
  #halvedAt = Number.NEGATIVE_INFINITY;
  /** When the next request would be due if all came evenly. Milliseconds since the epoch. */
  #nextAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes one request when its turn has come. @throws what the request throws. */
  async run<T>(request: () => Promise<T>): Promise<T> {
    return this.#slots.use(async () => {
      const waitMs = this.#take();
      if (waitMs > 0) await this.#clock.sleep(waitMs);
      try {
        return await request();
      } catch (error) {
        if (isThrottled(error)) this.#slowDown();
        throw error;
      }
    });
  }

  /** Takes a place. @returns How long it is until then. */
  #take(): number {
    const now = this.#clock.now();
    const intervalMs = 1000 / this.#rateAt(now);
    const dueAt = Math.max(this.#nextAt, now);
    this.#nextAt = dueAt + intervalMs;
    return Math.max(0, dueAt - now - (BURST - 1) * intervalMs);
  }

  #rateAt(now: number): number {
    const grown = this.#rate + (Math.max(0, now - this.#ratedAt) / 1000) * GROWTH;
    this.#rate = Math.min(RATE_MAX, grown);
    this.#ratedAt = now;
    return this.#rate;
  }

  #slowDown(): void {
    const now = this.#clock.now();
    if (now - this.#halvedAt < HALVE_AGAIN_MS) return;
    this.#rate = Math.max(RATE_MIN, this.#rateAt(now) / 2);
    this.#halvedAt = now;
    // What was saved up for a burst is gone.
    this.#nextAt = Math.max(this.#nextAt, now + ((BURST - 1) * 1000) / this.#rate);
  }
}
