import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  authenticate,
  leaseCapSeconds,
  spendUse,
  tokenEndsFirst,
} from "../../../src/core/tokens/authenticate.ts";
import { leaseOwner } from "../../../src/core/tokens/caller.ts";
import { isWithinCidrs } from "../../../src/core/tokens/cidr.ts";
import { revokeTokenTree } from "../../../src/core/tokens/revoke.ts";
import { readToken } from "../../../src/core/tokens/store.ts";
import { refusal, START, TokenWorld } from "./world.ts";

describe("a token that is no token", () => {
  test.each([
    "",
    " ",
    "root",
    "hvs.",
    "hvs.AAAAAAAAAAAAAAAAAAAAAAAA",
    "s.AAAAAAAAAAAAAAAAAAAAAAAA",
    "hvb.",
    "hvb.AAAA",
    "b.AAAA",
    `hvb.${"A".repeat(400)}`,
    `hvs.${"A".repeat(100_000)}`,
    "../token",
    "a/b",
    "\0",
    "\ud800",
    "__proto__",
    "日本",
  ])("%j is nobody, in one way", async (token) => {
    const world = await TokenWorld.create();
    expect(await authenticate(world.services, token, null)).toBeNull();
  });

  test("is nobody however it looks, and costs at most one read", async () => {
    const world = await TokenWorld.create();
    const prefixes = fc.constantFrom("", "hvs.", "hvb.", "s.", "b.", "hvr.");
    const { services, operations } = await world.process();
    await fc.assert(
      fc.asyncProperty(prefixes, fc.string({ unit: "binary", maxLength: 100 }), async (prefix, rest) => {
        const before = operations();
        expect(await authenticate(services, prefix + rest, null)).toBeNull();
        expect(operations() - before).toBeLessThanOrEqual(1);
      }),
      { numRuns: 200 },
    );
  });

  test("does not become one by a change of a single character", async () => {
    const world = await TokenWorld.create();
    for (const type of ["service", "batch"] as const) {
      const { id } = await world.token({ type });
      for (let at = 0; at < id.length; at += 1) {
        const other = id[at] === "A" ? "B" : "A";
        const changed = id.slice(0, at) + other + id.slice(at + 1);
        expect(await world.isAccepted(changed)).toBe(false);
      }
      expect(await world.isAccepted(`${id}=`)).toBe(false);
      expect(await world.isAccepted(id)).toBe(true);
    }
  });
});

describe("a token at use", () => {
  test("costs one read", async () => {
    const world = await TokenWorld.create();
    const { id } = await world.token({ parent: world.root });
    const { services, operations } = await world.process();
    const caller = await authenticate(services, id, null);
    expect(operations()).toBe(1);
    if (caller !== null) await spendUse(services, caller);
    expect(operations()).toBe(1);
  });

  test("with a number of uses is good for so many and costs one commit more", async () => {
    const world = await TokenWorld.create();
    const { id, hash } = await world.token({ numUses: 2 });
    const { services, operations } = await world.process();
    const spend = async () => {
      const caller = await authenticate(services, id, null);
      return caller === null ? null : spendUse(services, caller);
    };
    expect(await spend()).toEqual({ last: false });
    expect(operations()).toBe(2);
    expect(await spend()).toEqual({ last: true });
    expect(await spend()).toBeNull();
    // Whoever had the last use died before it could revoke the token.
    world.advance(130);
    await world.settle();
    expect(await readToken(services.barrier, hash)).toBeNull();
  });

  test("by more requests at once than it has uses is refused to the rest", async () => {
    const world = await TokenWorld.create();
    const { caller } = await world.token({ numUses: 3 });
    const results = await Promise.all(
      Array.from({ length: 6 }, () => refusal(() => spendUse(world.services, caller))),
    );
    expect(results.filter((text) => text === "none").length).toBe(3);
    expect(results.filter((text) => text.includes("permission denied")).length).toBe(3);
  });

  test("shows how many uses are left", async () => {
    const world = await TokenWorld.create();
    const { caller } = await world.token({ numUses: 5 });
    await spendUse(world.services, caller);
    expect((await world.call("read", "lookup-self", {}, { caller }))?.data?.num_uses).toBe(4);
  });

  test("is refused from the moment it expires", async () => {
    const world = await TokenWorld.create();
    const service = await world.token({ ttlSeconds: 10 });
    const batch = await world.token({ ttlSeconds: 10, type: "batch" });
    world.advance(9.999);
    expect([await world.isAccepted(service.id), await world.isAccepted(batch.id)]).toEqual([true, true]);
    world.advance(0.001);
    expect([await world.isAccepted(service.id), await world.isAccepted(batch.id)]).toEqual([false, false]);
  });

  test.each([
    ["10.1.2.3", true],
    ["::ffff:10.1.2.3", true],
    ["11.0.0.1", false],
    ["2001:db8::5", true],
    ["2001:db9::5", false],
    ["nonsense", false],
    [null, false],
  ])("bound to 10.0.0.0/8 and 2001:db8::/32 is accepted from %j: %j", async (address, accepted) => {
    const world = await TokenWorld.create();
    const { id } = await world.token({ boundCidrs: ["127.0.0.1"] });
    expect(await authenticate(world.services, id, "10.0.0.1")).toBeNull();
    expect(await isWithinCidrs(["10.0.0.0/8", "2001:db8::/32"], address)).toBe(accepted);
  });

  test("bound to the loopback is accepted on this machine", async () => {
    expect([await isWithinCidrs(["127.0.0.0/8"], null), await isWithinCidrs(["::1"], null)]).toEqual([
      true,
      true,
    ]);
  });

  test.each(["1.2.3.4/33", "1.2.3/8", "::/129", "1.2.3.4/-1", "1.2.3.4/8/8", "::1/", "", "x"])(
    "bound to %j, which is no block, is accepted from nowhere",
    async (block) => {
      expect((await isWithinCidrs([block], "1.2.3.4")) || (await isWithinCidrs([block], "::1"))).toBe(false);
    },
  );

  test("agrees with a slow reading of blocks", async () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const address = fc.tuple(byte, byte, byte, byte);
    const bits = (parts: readonly number[]) =>
      parts.map((part) => part.toString(2).padStart(8, "0")).join("");
    await fc.assert(
      fc.asyncProperty(address, address, fc.integer({ min: 0, max: 32 }), async (block, caller, prefix) => {
        const expected = bits(block).slice(0, prefix) === bits(caller).slice(0, prefix);
        expect(await isWithinCidrs([`${block.join(".")}/${prefix}`], caller.join("."))).toBe(expected);
      }),
    );
  });
});

describe("a batch token", () => {
  test("is stored nowhere and is what it was made as", async () => {
    const world = await TokenWorld.create();
    const before = await world.keys();
    const { auth, caller, id } = await world.make({
      type: "batch",
      policies: ["a"],
      ttl: "1h",
      meta: { a: "b" },
    });
    expect(await world.keys()).toEqual(before);
    expect(id).toMatch(/^hvb\.[\w-]+$/);
    expect(auth).toMatchObject({ accessor: "", token_type: "batch", renewable: false, lease_duration: 3600 });
    expect(caller?.record).toMatchObject({ policies: ["a", "default"], meta: { a: "b" } });
  });

  test("survives a rotation of the keys", async () => {
    const world = await TokenWorld.create();
    const { id } = await world.token({ type: "batch" });
    await world.services.barrier.rotate();
    expect(await world.isAccepted(id)).toBe(true);
  });

  test("of another store is nobody", async () => {
    const [world, other] = await Promise.all([TokenWorld.create(), TokenWorld.create()]);
    const { id } = await other.token({ type: "batch" });
    expect(await world.isAccepted(id)).toBe(false);
  });

  test("ends with its parent, also when another token gets the parent's id", async () => {
    const world = await TokenWorld.create();
    const parent = await world.token({ id: "mine" });
    const { id } = await world.token({ type: "batch", parent: parent.caller });
    await revokeTokenTree(world.services, parent.hash);
    expect(await world.isAccepted(id)).toBe(false);
    await world.token({ id: "mine" });
    expect(await world.isAccepted(id)).toBe(false);
  });

  test("has its leases with its parent, or under a name of its own, never past its end", async () => {
    const world = await TokenWorld.create();
    const parent = await world.token();
    const child = await world.token({ type: "batch", parent: parent.caller, ttlSeconds: 100 });
    const orphan = await world.token({ type: "batch" });
    expect(leaseOwner(child.caller)).toBe(parent.hash);
    expect(leaseOwner(orphan.caller)).toBe(`batch.${orphan.hash}`);
    expect(leaseCapSeconds(child.caller, START + 40_500)).toBe(59);
    expect(leaseCapSeconds(child.caller, START + 500_000)).toBe(0);
    expect(leaseCapSeconds(parent.caller, START)).toBeNull();
    await world.lease(child.caller);
    await revokeTokenTree(world.services, parent.hash);
    expect(world.liveKeys.size).toBe(0);
  });
});

describe("a caller is told that its token ends before the lease", () => {
  test("with both times", async () => {
    const world = await TokenWorld.create();
    const { caller } = await world.token({ ttlSeconds: 60 });
    expect(tokenEndsFirst(caller, START + 60_001)).toBe(
      "the token ends at 2023-11-14T22:14:20Z, before this lease would at 2023-11-14T22:14:20Z, and the lease " +
        "ends with it; renew the token, or use one that lives longer",
    );
  });

  test("and not when it does not", async () => {
    const world = await TokenWorld.create();
    const { caller } = await world.token({ ttlSeconds: 60 });
    expect(tokenEndsFirst(caller, START + 60_000)).toBeNull();
    expect(tokenEndsFirst(world.root, Number.MAX_SAFE_INTEGER)).toBeNull();
  });
});
