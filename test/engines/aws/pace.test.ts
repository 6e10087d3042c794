import { expect, test } from "bun:test";
import fc from "fast-check";
import { Pace } from "../../../src/engines/aws/pace.ts";

const BURST = 50;
const RATE = 100;

/** A clock whose sleepers wake in the order of their times, as soon as nothing else is left to do. */
class SleepersClock {
  #now = 0;
  readonly #sleepers: { at: number; wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.#sleepers.push({ at: this.#now + ms, wake }));
  }

  /** Lets time pass until the work is done. */
  async run(work: Promise<unknown>): Promise<void> {
    let isDone = false;
    void work.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await new Promise(setImmediate);
      const next = this.#sleepers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) continue;
      this.#sleepers.splice(this.#sleepers.indexOf(next), 1);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
  }
}

/** Asks for requests, each of which takes so long. @returns When each of them began. */
async function begun(count: number, lengthMs: number, refuse: (nth: number) => boolean = () => false) {
  const clock = new SleepersClock();
  const pace = new Pace(clock);
  const starts: number[] = [];
  const request = async (): Promise<void> => {
    starts.push(clock.now());
    const nth = starts.length;
    await clock.sleep(lengthMs);
    if (refuse(nth)) throw Object.assign(new Error("slow down"), { name: "Throttling" });
  };
  const all = Array.from({ length: count }, () => pace.run(request).catch(() => undefined));
  await clock.run(Promise.all(all));
  return starts;
}

test("in any stretch of time there begin no more requests than a burst and the rate allow", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 60 }), async (count, ms) => {
      const starts = await begun(count, ms);
      expect(starts).toHaveLength(count);
      for (const [first, from] of starts.entries()) {
        const last = starts.findLastIndex((start) => start - from <= 1000);
        expect(last - first + 1).toBeLessThanOrEqual(BURST + RATE + 1);
      }
    }),
    { numRuns: 30 },
  );
});

test("a refusal for their number halves the rate at once, and it comes back slowly", async () => {
  const even = await begun(400, 10);
  const refused = await begun(400, 10, (nth) => nth === 10);
  const between = (starts: readonly number[], nth: number): number =>
    (starts[nth] ?? 0) - (starts[nth - 1] ?? 0);
  expect(between(even, 300)).toBeCloseTo(1000 / RATE, 3);
  // No burst is left, and half of the rate.
  expect(between(refused, 30)).toBeGreaterThan(1.9 * (1000 / RATE));
  expect(between(refused, 399)).toBeLessThan(between(refused, 30));
});

test("refusals of requests that were under way together count once", async () => {
  const once = await begun(200, 10, (nth) => nth === 1);
  const together = await begun(200, 10, (nth) => nth <= 12);
  expect(together.at(-1)).toBeCloseTo(once.at(-1) ?? 0, -2);
});
