import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ApiError } from "../../src/base/errors.ts";
import { resolveTtl, SYSTEM_TTL_SECONDS, type TtlRequest } from "../../src/core/ttl.ts";

const NOW = 1_700_000_000_500;
const HOUR = 3600;
const SYSTEM = { defaultSeconds: SYSTEM_TTL_SECONDS, maxSeconds: SYSTEM_TTL_SECONDS };

function request(given: Partial<TtlRequest>): TtlRequest {
  const none = { incrementSeconds: 0, ttlSeconds: 0, maxTtlSeconds: 0 };
  return { ...none, mount: SYSTEM, now: NOW, issuedAt: NOW, ...given };
}

describe("a TTL", () => {
  const tuned = { defaultSeconds: HOUR, maxSeconds: 2 * HOUR };
  test.each<[string, Partial<TtlRequest>, number]>([
    ["is the system's 768 hours when nobody says anything", {}, 768 * HOUR],
    ["is the mount's default when the role has none", { mount: tuned }, HOUR],
    ["is the role's before the mount's", { ttlSeconds: 60, mount: tuned }, 60],
    ["is the increment before the role's", { incrementSeconds: 90, ttlSeconds: 60 }, 90],
    ["may be made shorter by an increment", { incrementSeconds: 5, ttlSeconds: HOUR }, 5],
    ["ends at the role's maximum", { ttlSeconds: HOUR, maxTtlSeconds: 600 }, 600],
    ["ends at the mount's maximum", { ttlSeconds: 9 * HOUR, mount: tuned }, 2 * HOUR],
    ["ends at the lesser maximum", { ttlSeconds: 9 * HOUR, maxTtlSeconds: 5 * HOUR, mount: tuned }, 2 * HOUR],
    [
      "of a renewal ends at the maximum counted from issue",
      { incrementSeconds: HOUR, maxTtlSeconds: HOUR, issuedAt: NOW - 600_000 },
      HOUR - 600,
    ],
  ])("%s", (_name, given, seconds) => {
    expect(resolveTtl(request(given)).seconds).toBe(seconds);
  });

  test("that is capped says by how much", () => {
    expect(resolveTtl(request({ ttlSeconds: 2 * HOUR, maxTtlSeconds: HOUR })).warnings).toEqual([
      'TTL of "2h" exceeded the effective max_ttl of "1h"; TTL value is capped accordingly',
    ]);
  });

  test("exactly at its maximum is not capped", () => {
    expect(resolveTtl(request({ ttlSeconds: HOUR, maxTtlSeconds: HOUR })).warnings).toEqual([]);
  });

  test.each<[string, Partial<TtlRequest>, string]>([
    ["past its maximum", { maxTtlSeconds: 60, issuedAt: NOW - 61_000 }, "past the max TTL, cannot renew"],
    ["at its maximum", { maxTtlSeconds: 60, issuedAt: NOW - 60_000 }, "past the max TTL, cannot renew"],
    [
      "without any maximum",
      { mount: { defaultSeconds: 0, maxSeconds: 0 } },
      "max TTL must be greater than zero",
    ],
  ])("%s is refused", (_name, given, text) => {
    expect(() => resolveTtl(request(given))).toThrow(new ApiError(400, text));
  });

  test("is above 0 and never passes the maximum counted from issue", () => {
    const seconds = fc.integer({ min: 0, max: 10 ** 7 });
    fc.assert(
      fc.property(seconds, seconds, seconds, seconds, (incrementSeconds, ttlSeconds, maxTtlSeconds, age) => {
        const issuedAt = NOW - age * 1000;
        const given = request({ incrementSeconds, ttlSeconds, maxTtlSeconds, issuedAt });
        const limit = Math.min(SYSTEM_TTL_SECONDS, maxTtlSeconds || SYSTEM_TTL_SECONDS);
        if (age >= limit) {
          expect(() => resolveTtl(given)).toThrow("past the max TTL");
          return;
        }
        const ttl = resolveTtl(given);
        expect(ttl.seconds).toBeGreaterThan(0);
        expect(age + ttl.seconds).toBeLessThanOrEqual(limit);
      }),
    );
  });
});
