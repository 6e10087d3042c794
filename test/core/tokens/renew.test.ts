import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { JsonObject } from "../../../src/base/json.ts";
import { resolveTtl, SYSTEM_TTL_SECONDS } from "../../../src/core/ttl.ts";
import { refusal, START, TokenWorld } from "./world.ts";

const DAY = 86_400;

describe("a renewal", () => {
  test("gives the wanted time from now, and the answer's auth", async () => {
    const world = await TokenWorld.create();
    const { caller, id } = await world.make({ policies: ["a"], ttl: "1h" });
    world.advance(600);
    const reply = await world.call(
      "update",
      "renew-self",
      { increment: 120 },
      { caller: caller ?? world.root },
    );
    expect(reply?.auth).toMatchObject({ client_token: id, lease_duration: 120, renewable: true });
    world.advance(119);
    expect(await world.isAccepted(id)).toBe(true);
    world.advance(1);
    expect(await world.isAccepted(id)).toBe(false);
  });

  test("without an increment gives the TTL of the last time", async () => {
    const world = await TokenWorld.create();
    const { id } = await world.token({ ttlSeconds: 3600 });
    await world.call("update", "renew", { token: id, increment: "10m" });
    world.advance(60);
    const reply = await world.call("update", "renew", { token: id });
    expect(reply?.auth).toMatchObject({ lease_duration: 600 });
  });

  test("by accessor does not show the token", async () => {
    const world = await TokenWorld.create();
    const { record } = await world.token();
    const reply = await world.call("update", "renew-accessor", { accessor: record.accessor });
    expect(reply?.auth).toMatchObject({ client_token: "", accessor: record.accessor });
  });

  test("of a periodic token gives its period, whatever the increment, for ever", async () => {
    const world = await TokenWorld.create();
    const { id } = await world.token({ periodSeconds: DAY });
    for (let day = 0; day < 100; day += 1) {
      world.advance(DAY - 1);
      const reply = await world.call("update", "renew", { token: id, increment: 5 });
      expect(reply?.auth).toMatchObject({ lease_duration: DAY });
    }
  });

  test("of a periodic token ends at its explicit maximum", async () => {
    const world = await TokenWorld.create();
    const { id } = await world.token({ periodSeconds: DAY, explicitMaxTtlSeconds: 2 * DAY });
    world.advance(DAY - 1);
    await world.call("update", "renew", { token: id });
    world.advance(DAY - 1);
    const reply = await world.call("update", "renew", { token: id });
    expect(reply?.auth).toMatchObject({ lease_duration: 2 });
    expect(reply?.warnings?.[0]).toContain('TTL of "24h" exceeded the effective max_ttl of "2s"');
    world.advance(2);
    expect(await world.isAccepted(id)).toBe(false);
  });

  test("goes by what the role says now", async () => {
    const world = await TokenWorld.create();
    await world.call("update", "roles/it", { token_period: 60 });
    const { id } = await world.make({}, { path: "create/it" });
    await world.call("update", "roles/it", { token_period: 90 });
    expect((await world.call("update", "renew", { token: id }))?.auth).toMatchObject({ lease_duration: 90 });
    await world.call("delete", "roles/it");
    expect(await refusal(() => world.call("update", "renew", { token: id }))).toBe(
      'original token role "it" could not be found, not renewing',
    );
  });

  test.each<[string, JsonObject, string]>([
    ["renew", {}, "missing token ID"],
    ["renew", { token: "unknown" }, "token not found"],
    ["renew", { token: "hvb.AAAA" }, "batch tokens cannot be renewed"],
    ["renew", { token: "fixed" }, "lease is not renewable"],
    ["renew", { token: "endless" }, "lease is not renewable"],
    ["renew", { token: "over" }, "token not found"],
    ["renew-self", {}, "lease is not renewable"],
    ["renew-accessor", {}, "missing accessor"],
    ["renew-accessor", { accessor: "none" }, "1 error occurred:\n\t* invalid accessor\n\n"],
  ])("%s with %j is answered %j", async (path, data, text) => {
    const world = await TokenWorld.create();
    await world.token({ id: "fixed", renewable: false });
    await world.token({ id: "endless", policies: ["root"], ttlSeconds: 0 });
    await world.token({ id: "over", ttlSeconds: 1 });
    world.advance(1);
    expect(await refusal(() => world.call("update", path, data))).toBe(text);
  });

  test("by several at once succeeds for all", async () => {
    const world = await TokenWorld.create();
    const { id } = await world.token();
    const renewals = [1, 2, 3].map(() => refusal(() => world.call("update", "renew", { token: id })));
    expect(await Promise.all(renewals)).toEqual(["none", "none", "none"]);
  });
});

/** TTLs by the rules as they are written, step by step, on whole seconds. */
function naive(it: {
  increment: number;
  ttl: number;
  max: number;
  period: number;
  explicit: number;
  mountDefault: number;
  mountMax: number;
  now: number;
  start: number;
}): number | "past" {
  let most = it.mountMax;
  if (it.max > 0 && it.max < most) most = it.max;
  if (it.explicit > 0 && it.explicit < most) most = it.explicit;
  let ttl: number;
  let end = Number.POSITIVE_INFINITY;
  if (it.period > 0) {
    ttl = it.period > most ? most : it.period;
    if (it.explicit > 0) end = it.start + it.explicit;
  } else {
    ttl = it.mountDefault;
    if (it.ttl > 0) ttl = it.ttl;
    if (it.increment > 0) ttl = it.increment;
    end = it.start + most;
  }
  if (end <= it.now) return "past";
  return it.now + ttl > end ? end - it.now : ttl;
}

describe("a token's TTL", () => {
  test("is what a naive reading of the rules gives, with a warning exactly when something was capped", () => {
    const figure = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5000 }));
    const given = fc.record({
      increment: figure,
      ttl: figure,
      max: figure,
      period: figure,
      explicit: figure,
      mountDefault: fc.integer({ min: 1, max: 5000 }),
      mountMax: fc.integer({ min: 1, max: 5000 }),
      age: fc.integer({ min: 0, max: 6000 }),
    });
    fc.assert(
      fc.property(given, (it) => {
        const start = 1_000_000;
        const now = start + it.age;
        const expected = naive({ ...it, start, now });
        const attempt = () =>
          resolveTtl({
            incrementSeconds: it.increment,
            ttlSeconds: it.ttl,
            maxTtlSeconds: it.max,
            periodSeconds: it.period,
            explicitMaxTtlSeconds: it.explicit,
            mount: { defaultSeconds: it.mountDefault, maxSeconds: it.mountMax },
            now: now * 1000,
            issuedAt: start * 1000,
          });
        if (expected === "past") {
          expect(attempt).toThrow("past the max TTL, cannot renew");
          return;
        }
        const { seconds, warnings } = attempt();
        const wanted = it.period || it.increment || it.ttl || it.mountDefault;
        expect(seconds).toBe(expected);
        expect(warnings.length > 0).toBe(seconds < wanted);
      }),
      { numRuns: process.env.SLOW === "1" ? 20_000 : 2000 },
    );
  });

  test("never passes the explicit maximum, however often and whenever it is renewed", async () => {
    const steps = fc.array(fc.record({ wait: fc.integer({ min: 1, max: 90_000 }), increment: fc.nat(200) }), {
      maxLength: 12,
    });
    const terms = fc.record({ ttl: fc.integer({ min: 1, max: 100 }), max: fc.integer({ min: 1, max: 300 }) });
    await fc.assert(
      fc.asyncProperty(terms, steps, fc.boolean(), async ({ ttl, max }, renewals, periodic) => {
        const world = await TokenWorld.create();
        world.advance(0.7);
        const created = world.now;
        const figures = periodic ? { periodSeconds: ttl } : { ttlSeconds: ttl };
        const { id } = await world.token({ ...figures, explicitMaxTtlSeconds: max });
        for (const { wait, increment } of renewals) {
          world.advance(wait / 1000);
          await refusal(() => world.call("update", "renew", { token: id, increment }));
          const data = (await world.call("update", "lookup", { token: id }).catch(() => undefined))?.data;
          if (data === undefined) break;
          expect(Date.parse(String(data.expire_time))).toBeLessThanOrEqual(created + max * 1000);
        }
        world.advance((created + max * 1000 - world.now) / 1000);
        expect(await world.isAccepted(id)).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  test("of a period longer than the maximum is capped, with a warning", () => {
    const ttl = resolveTtl({
      incrementSeconds: 0,
      ttlSeconds: 0,
      maxTtlSeconds: 0,
      periodSeconds: 1000 * 3600,
      mount: { defaultSeconds: SYSTEM_TTL_SECONDS, maxSeconds: SYSTEM_TTL_SECONDS },
      now: START,
      issuedAt: START,
    });
    expect(ttl).toEqual({
      seconds: SYSTEM_TTL_SECONDS,
      warnings: [
        'period of "1000h" exceeded the effective max_ttl of "768h"; period value is capped accordingly',
      ],
    });
  });
});
