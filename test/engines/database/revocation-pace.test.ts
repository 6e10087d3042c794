import { beforeEach, expect, test } from "bun:test";
import { RevocationPace, revocationsPerSecond } from "../../../src/engines/database/revocation-pace.ts";

let slept: number[];
let now: number;
let pace: RevocationPace;
beforeEach(() => {
  slept = [];
  now = 1_000_000;
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      slept.push(ms);
    },
  };
  // Half of what randomness can give: an eighth more of each wait.
  pace = new RevocationPace(clock, { bytes: (length) => new Uint8Array(length).fill(0x80) });
});

test("what one second allows goes through at once, and the rest at the pace, a little later", async () => {
  await pace.spend(100, 100);
  expect(slept).toEqual([]);
  await pace.spend(50, 100);
  expect(slept).toHaveLength(1);
  expect(slept[0]).toBeWithin(500, 626);
  now += 10_000;
  await pace.spend(100, 100);
  expect(slept).toHaveLength(1);
});

test("callers at the same moment pay one after the other", async () => {
  await Promise.all([1, 2, 3].map(() => pace.spend(100, 100)));
  expect(slept.map((ms) => Math.floor(ms / 1000))).toEqual([1, 2]);
});

test("without a limit nobody waits", async () => {
  await pace.spend(1_000_000, 0);
  expect(slept).toEqual([]);
});

test("no more than three batches are with the server at a time", async () => {
  const ends: (() => void)[] = [];
  const turns = [1, 2, 3, 4].map(() => pace.turn(() => new Promise<void>((resolve) => ends.push(resolve))));
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends).toHaveLength(3);
  ends[0]?.();
  await turns[0];
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends).toHaveLength(4);
  for (const end of ends) end();
  await Promise.all(turns);
});

test("a pace at which leases could not be held is refused", () => {
  expect(revocationsPerSecond({})).toBe(0);
  expect(revocationsPerSecond({ max_revocations_per_second: "250" })).toBe(250);
  expect(() => revocationsPerSecond({ max_revocations_per_second: 9 })).toThrow(
    "must be 0 (no limit) or at least 10",
  );
  expect(() => revocationsPerSecond({ max_revocations_per_second: "many" })).toThrow(
    "must be a whole number",
  );
});
