import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { encodeSealConfig } from "../../src/barrier/seal-config.ts";
import { joinShares, openShamir, shamirSeal } from "../../src/barrier/seals/shamir.ts";
import { splitOf, splitRefusal } from "../../src/barrier/seals/split.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { codeOf } from "../barrier/world.ts";
import known from "./shares.json";

const STORE_ID = "0f6a";
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Buffer => Buffer.from(text, "hex");
const rootKey = systemRandom.bytes(32);
const seal = (shares: number, threshold: number) =>
  shamirSeal(rootKey, STORE_ID, { shares, threshold }, systemRandom);

describe("known shares", () => {
  test.each(known.vectors)("give their key, in any order and choice ($threshold)", async (vector) => {
    const { threshold, key } = vector;
    const shares = vector.shares.map(bytes);
    expect(hex(await joinShares(shares.slice(0, threshold)))).toBe(key);
    expect(hex(await joinShares(shares.slice(-threshold).reverse()))).toBe(key);
    // More than are needed lie on the same polynomial.
    expect(hex(await joinShares(shares))).toBe(key);
    if (threshold > 2) expect(hex(await joinShares(shares.slice(0, threshold - 1)))).not.toBe(key);
  });

  test("are refused when they cannot be shares of one key", async () => {
    const [a = Buffer.alloc(0), b = Buffer.alloc(0)] = (known.vectors[1]?.shares ?? []).map(bytes);
    const refusals = [[], [a, a], [a, b.subarray(1)], [a, Buffer.concat([b.subarray(0, 32), Buffer.of(0)])]];
    for (const shares of refusals) expect(await codeOf(() => joinShares(shares))).toBe("SEAL_WRONG_KEY");
  });
});

describe("a key that is split", () => {
  test("is given back by any of its shares that are enough, and never by fewer", async () => {
    const splits = fc
      .integer({ min: 2, max: 12 })
      .chain((shares) =>
        fc.record({ shares: fc.constant(shares), threshold: fc.integer({ min: 2, max: shares }) }),
      )
      .chain((split) =>
        fc.record({
          split: fc.constant(split),
          order: fc.shuffledSubarray(
            Array.from({ length: split.shares }, (_, index) => index),
            { minLength: split.threshold },
          ),
        }),
      );
    await fc.assert(
      fc.asyncProperty(splits, async ({ split, order }) => {
        const { config, unsealKey, shares } = await seal(split.shares, split.threshold);
        const chosen = order.map((index) => shares[index] ?? new Uint8Array());
        expect(hex(await joinShares(chosen))).toBe(hex(unsealKey));
        expect(hex(openShamir(config, await joinShares(chosen)))).toBe(hex(rootKey));
        const tooFew = await joinShares(chosen.slice(0, split.threshold - 1));
        expect(await codeOf(async () => openShamir(config, tooFew))).toBe("SEAL_WRONG_KEY");
      }),
      { numRuns: process.env.SLOW === "1" ? 500 : 60 },
    );
  });

  test("has Vault's form: 33 bytes a share, its coordinate last, all different and none 0", async () => {
    const { shares } = await seal(255, 255);
    const coordinates = shares.map((share) => share[32] ?? 0);
    expect([...new Set(shares.map((share) => share.length))]).toEqual([33]);
    expect(coordinates.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 255 }, (_, i) => i + 1));
  });

  test("is the one share itself, without a coordinate, where there is one", async () => {
    const { config, unsealKey, shares } = await seal(1, 1);
    expect(shares.map(hex)).toEqual([hex(unsealKey)]);
    expect(hex(openShamir(config, await joinShares(shares)))).toBe(hex(rootKey));
  });

  test("leaves neither the root key nor a share in the configuration", async () => {
    const { config, unsealKey, shares } = await seal(3, 2);
    const stored = encodeSealConfig(config).toString();
    for (const secret of [rootKey, unsealKey, ...shares]) {
      expect(stored).not.toContain(Buffer.from(secret).toString("base64").slice(0, 12));
      expect(stored).not.toContain(hex(secret).slice(0, 16));
    }
    expect(splitOf(config)).toEqual({ shares: 3, threshold: 2 });
  });

  test("opens no other store's configuration, and no damaged one", async () => {
    const [one, other] = [await seal(1, 1), await seal(1, 1)];
    expect(await codeOf(async () => openShamir(other.config, one.unsealKey))).toBe("SEAL_WRONG_KEY");
    expect(await codeOf(async () => openShamir({ ...one.config, storeId: "another" }, one.unsealKey))).toBe(
      "SEAL_WRONG_KEY",
    );
    const damaged = [{ shares: 0 }, { shares: 256 }, { threshold: 2 }, { threshold: 0 }, { shares: "1" }];
    for (const params of damaged) {
      const config = { ...one.config, params: { ...one.config.params, ...params } };
      expect(await codeOf(async () => splitOf(config))).toBe("BARRIER_DAMAGED");
    }
  });
});

test.each([
  [0, 1, "shares must be at least one"],
  [1, 0, "threshold must be at least one"],
  [2, 1, "threshold must be greater than one for multiple shares"],
  [256, 2, "shares must be less than 256"],
  [255, 256, "threshold must be less than 256"],
  [3, 4, "threshold cannot be larger than shares"],
])("%i shares with a threshold of %i: %s", async (shares, threshold, text) => {
  expect(splitRefusal({ shares, threshold })).toBe(text);
  expect(await codeOf(() => seal(shares, threshold))).toBe("USAGE");
});
