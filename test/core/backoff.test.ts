import { expect, test } from "bun:test";
import fc from "fast-check";
import { retryDelayMs } from "../../src/core/leases/backoff.ts";
import { systemRandom } from "../../src/platform/random.ts";

const least = { bytes: (length: number) => new Uint8Array(length) };
const most = { bytes: (length: number) => new Uint8Array(length).fill(255) };

test.each([
  [1, 20],
  [2, 40],
  [3, 80],
  [4, 160],
  [5, 320],
  [6, 640],
  [7, 900],
  [8, 900],
  [1_000_000, 900],
])(
  "after %d failures a revocation waits around %d seconds, half as long to half again",
  (attempts, seconds) => {
    expect(retryDelayMs(attempts, least)).toBe(seconds * 500);
    expect(retryDelayMs(attempts, most)).toBeCloseTo(seconds * 1500, -1);
  },
);

test("a delay is always between 10 seconds and 22.5 minutes", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (attempts) => {
      const delay = retryDelayMs(attempts, systemRandom);
      expect(delay).toBeGreaterThanOrEqual(10_000);
      expect(delay).toBeLessThanOrEqual(1_350_000);
    }),
  );
});
