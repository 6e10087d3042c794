import { describe, expect, test } from "bun:test";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";

describe("the system's clock", () => {
  test("tells the time of the epoch in milliseconds", () => {
    const before = Date.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
    expect(systemClock.now()).toBeLessThanOrEqual(Date.now());
  });

  test("sleeps until it is over", async () => {
    await systemClock.sleep(0);
    await systemClock.sleep(-5);
    await systemClock.sleep(1);
  });

  test("wakes from any sleep when told to, and does not fall asleep after that", async () => {
    // Longer than a runtime's timer, which would fire at once.
    const months = 100 * 86_400_000;
    const stop = new AbortController();
    let woken = false;
    const sleep = systemClock.sleep(months, stop.signal).then(() => {
      woken = true;
    });
    await systemClock.sleep(5);
    expect(woken).toBe(false);
    stop.abort();
    await sleep;
    await systemClock.sleep(months, stop.signal);
  });
});

describe("the system's randomness", () => {
  test.each([0, 1, 32, 65_536, 65_537, 200_000])("gives %d bytes, and others each time", (length) => {
    const one = systemRandom.bytes(length);
    expect(one.length).toBe(length);
    if (length < 32) return;
    expect(Buffer.from(one).equals(systemRandom.bytes(length))).toBe(false);
    // No part was left at zero.
    expect(one.subarray(-32).some((byte) => byte !== 0)).toBe(true);
  });
});
