import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { hasCode } from "../../../src/base/errors.ts";
import type { Services } from "../../../src/core/services.ts";
import { type CreatedToken, createToken } from "../../../src/core/tokens/create.ts";
import { renewToken } from "../../../src/core/tokens/renew.ts";
import { revokeTokenOnly, revokeTokensUnder, revokeTokenTree } from "../../../src/core/tokens/revoke.ts";
import { readToken } from "../../../src/core/tokens/store.ts";
import { type Cut, SPEC, TokenWorld } from "./world.ts";

// Each test runs the same work some hundred times.
setDefaultTimeout(120_000);

/** Longer than anybody keeps what he took. */
const LATER_SECONDS = 130;
const MODES = ["before", "after"] as const;

/** Two children, one of them with a child; leases and cubbyholes everywhere; beside it a token that has to survive. */
async function tree() {
  const world = await TokenWorld.create();
  const bystander = await world.token();
  await world.lease(bystander.caller);
  const before = await world.keys();
  const top = await world.token({ path: "auth/some/login" });
  const left = await world.token({ parent: top.caller });
  const right = await world.token({ parent: top.caller });
  const leaf = await world.token({ parent: right.caller });
  const tokens = [top, left, right, leaf];
  for (const { caller } of tokens) {
    await world.lease(caller);
    await world.hide(caller);
  }
  await world.lease(leaf.caller);
  return { world, before, bystander, tokens, top, left, right, leaf };
}

type Tree = Awaited<ReturnType<typeof tree>>;

/** True: the work was killed; false: it finished first. */
async function isKilled(
  { world }: Tree,
  cut: Cut,
  work: (services: Services) => Promise<unknown>,
): Promise<boolean> {
  const { services } = await world.process(cut);
  try {
    await work(services);
    return false;
  } catch (error) {
    if (hasCode(error, "STORE_IO")) return true;
    throw error;
  }
}

async function expectAllGone({ world, before, bystander, tokens }: Tree): Promise<void> {
  expect(await world.keys()).toEqual(before);
  expect(world.liveKeys.size).toBe(1);
  expect(await Promise.all(tokens.map(({ id }) => world.isAccepted(id)))).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(await world.isAccepted(bystander.id)).toBe(true);
}

/** Kills the work at every operation there is, in both ways, and checks what due work makes of it. */
async function atEveryOperation(
  work: (services: Services, it: Tree) => Promise<unknown>,
  check: (it: Tree, cut: Cut) => Promise<void>,
): Promise<number> {
  let kills = 0;
  for (const mode of MODES) {
    for (let at = 1; ; at += 1) {
      const it = await tree();
      if (!(await isKilled(it, { at, mode }, (services) => work(services, it)))) break;
      kills += 1;
      await check(it, { at, mode });
    }
  }
  return kills;
}

/** Whether the revocation had been begun: the token's entry says so, or is gone. */
async function hasBegun({ world }: Tree, token: CreatedToken): Promise<boolean> {
  return (await readToken(world.services.barrier, token.hash))?.record.state !== "live";
}

describe("killed at any operation", () => {
  test("the revocation of a tree is finished by due work, or had not begun", async () => {
    let unbegun = 0;
    const kills = await atEveryOperation(
      (services, { top }) => revokeTokenTree(services, top.hash),
      async (it) => {
        if (!(await hasBegun(it, it.top))) {
          unbegun += 1;
          expect(await Promise.all(it.tokens.map(({ id }) => it.world.isAccepted(id)))).toEqual(
            it.tokens.map(() => true),
          );
          await revokeTokenTree(it.world.services, it.top.hash);
        } else {
          expect(await it.world.isAccepted(it.top.id)).toBe(false);
        }
        it.world.advance(LATER_SECONDS);
        await it.world.settle();
        await expectAllGone(it);
      },
    );
    expect(kills).toBeGreaterThan(40);
    expect(unbegun).toBeLessThan(6);
  });

  test("an expiry is finished by later due work", async () => {
    const kills = await atEveryOperation(
      async (services, { world, bystander }) => {
        // The bystander lives on: it is renewed in time.
        await renewTo(world, bystander, 10_000);
        world.advance(3601);
        await world.settle(services);
      },
      async (it) => {
        it.world.advance(LATER_SECONDS);
        await it.world.settle();
        expect(await Promise.all(it.tokens.map(({ id }) => it.world.isAccepted(id)))).toEqual([
          false,
          false,
          false,
          false,
        ]);
        expect(await it.world.keys()).toEqual(it.before.filter((key) => !key.startsWith("lease")));
        expect(it.world.liveKeys.size).toBe(0);
      },
    );
    expect(kills).toBeGreaterThan(40);
  });

  test("the revocation of a prefix is finished for all that were marked", async () => {
    const kills = await atEveryOperation(
      (services) => revokeTokensUnder(services, "auth/some"),
      async (it) => {
        if (!(await hasBegun(it, it.top))) await revokeTokensUnder(it.world.services, "auth/some");
        it.world.advance(LATER_SECONDS);
        await it.world.settle();
        await expectAllGone(it);
      },
    );
    expect(kills).toBeGreaterThan(40);
  });

  test("a revocation that keeps the children keeps all of them, usable, as orphans", async () => {
    const kills = await atEveryOperation(
      (services, { top }) => revokeTokenOnly(services, top.hash),
      async (it) => {
        if (!(await hasBegun(it, it.top))) await revokeTokenOnly(it.world.services, it.top.hash);
        it.world.advance(LATER_SECONDS);
        await it.world.settle();
        const accepted = await Promise.all(it.tokens.map(({ id }) => it.world.isAccepted(id)));
        expect(accepted).toEqual([false, true, true, true]);
        const left = await readToken(it.world.services.barrier, it.left.hash);
        const leaf = await readToken(it.world.services.barrier, it.leaf.hash);
        expect([left?.record.parentHash, leaf?.record.parentHash]).toEqual([null, it.right.hash]);
        expect((await it.world.keys()).filter((key) => key.includes(it.top.hash))).toEqual([]);
        expect(it.world.liveKeys.size).toBe(5);
      },
    );
    expect(kills).toBeGreaterThan(20);
  });

  test("a creation leaves the whole token or nothing, and it goes with its parent", async () => {
    const kills = await atEveryOperation(
      (services, { right }) => createToken(services, { ...SPEC, parent: right.caller }),
      async (it, { mode }) => {
        const before = await it.world.keys();
        const own = before.filter((key) => key.startsWith("token/")).length;
        expect(own).toBe(mode === "after" ? 7 : 6);
        for (const prefix of ["token-accessor/", "token-path/"]) {
          expect(before.filter((key) => key.startsWith(prefix)).length).toBe(own);
        }
        await revokeTokenTree(it.world.services, it.top.hash);
        await expectAllGone(it);
      },
    );
    expect(kills).toBe(2);
  });

  test("again and again, a tree is gone in the end", async () => {
    const cuts = fc.array(
      fc.record({ at: fc.integer({ min: 1, max: 30 }), mode: fc.constantFrom(...MODES) }),
      {
        minLength: 2,
        maxLength: 8,
      },
    );
    await fc.assert(
      fc.asyncProperty(cuts, async (kills) => {
        const it = await tree();
        await isKilled(it, { at: 3, mode: "after" }, (services) => revokeTokenTree(services, it.top.hash));
        for (const cut of kills) {
          it.world.advance(LATER_SECONDS);
          await isKilled(it, cut, (services) => it.world.settle(services));
        }
        it.world.advance(LATER_SECONDS);
        await revokeTokenTree(it.world.services, it.top.hash);
        await it.world.settle();
        await expectAllGone(it);
      }),
      { numRuns: process.env.SLOW === "1" ? 400 : 40 },
    );
  });
});

async function renewTo(world: TokenWorld, token: CreatedToken, seconds: number): Promise<void> {
  await renewToken(world.services, token.hash, seconds, SPEC.mountTtl);
}
