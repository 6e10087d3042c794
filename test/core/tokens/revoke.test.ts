import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { hasCode } from "../../../src/base/errors.ts";
import { aliveGuard } from "../../../src/core/tokens/authenticate.ts";
import type { Caller } from "../../../src/core/tokens/caller.ts";
import {
  revokeTokenOnly,
  revokeTokensUnder,
  revokeTokenTree,
  settleDueToken,
} from "../../../src/core/tokens/revoke.ts";
import { tidyTokens } from "../../../src/core/tokens/tidy.ts";
import { refusal, TokenWorld } from "./world.ts";

setDefaultTimeout(60_000);

/** A line of tokens, each the child of the one before, each with a lease. */
async function chain(world: TokenWorld, length: number): Promise<Caller[]> {
  const callers: Caller[] = [];
  for (let depth = 0; depth < length; depth += 1) {
    const { caller } = await world.token({ parent: callers.at(-1) ?? null });
    await world.lease(caller);
    callers.push(caller);
  }
  return callers;
}

describe("revoking a token", () => {
  test("ends a tree of 500 levels, whatever the TTLs in it", async () => {
    const world = await TokenWorld.create();
    const before = await world.keys();
    const callers = await chain(world, 500);
    expect(world.liveKeys.size).toBe(500);
    const { tokens } = await revokeTokenTree(world.services, callers[0]?.tokenHash ?? "");
    expect(tokens).toBe(500);
    expect(await world.keys()).toEqual(before);
    expect(world.liveKeys.size).toBe(0);
  });

  test("ends 1,000 children, their leases many at once", async () => {
    const world = await TokenWorld.create();
    const { caller } = await world.token();
    for (let index = 0; index < 1000; index += 1) {
      const child = await world.token({ parent: caller, ttlSeconds: 1_000_000 });
      await world.lease(child.caller);
    }
    const { tokens } = await revokeTokenTree(world.services, caller.tokenHash);
    expect(tokens).toBe(1001);
    expect(world.liveKeys.size).toBe(0);
    expect(world.revokeCalls.length).toBeLessThan(20);
    expect((await world.keys()).filter((key) => /^(token|lease)/.test(key)).length).toBe(3);
  });

  test("ends the leaves before the trunk", async () => {
    const world = await TokenWorld.create();
    const callers = await chain(world, 4);
    const order = [...world.liveKeys];
    await revokeTokenTree(world.services, callers[0]?.tokenHash ?? "");
    expect(world.revokeCalls.flat()).toEqual(order.reverse());
  });

  test("that is not there is a success", async () => {
    const world = await TokenWorld.create();
    const before = await world.keys();
    expect(await revokeTokenTree(world.services, "unknown")).toEqual({ tokens: 0, failed: [] });
    expect(await world.keys()).toEqual(before);
  });

  test("by several processes at once ends it once", async () => {
    const world = await TokenWorld.create();
    const before = await world.keys();
    const [top] = await chain(world, 5);
    const hash = top?.tokenHash ?? "";
    const processes = await Promise.all([1, 2, 3].map(() => world.process()));
    await Promise.all(processes.map(({ services }) => revokeTokenTree(services, hash)));
    world.advance(130);
    await world.settle();
    expect(await world.keys()).toEqual(before);
    expect(world.liveKeys.size).toBe(0);
  });

  test("closes it: neither child nor lease can be added from its first commit on", async () => {
    const world = await TokenWorld.create();
    const { caller, hash } = await world.token();
    const { services } = await world.process({ at: 2, mode: "after" });
    await revokeTokenTree(services, hash).catch((error: unknown) => {
      if (!hasCode(error, "STORE_IO")) throw error;
    });
    expect(await refusal(() => world.token({ parent: caller }))).toBe(
      "parent token lookup failed: no parent found",
    );
    expect(await refusal(() => aliveGuard(world.services, caller))).toContain("permission denied");
  });

  test("makes a batch fail that was guarded by the token while it lived", async () => {
    const world = await TokenWorld.create();
    const { caller, hash } = await world.token();
    const guard = await aliveGuard(world.services, caller);
    await revokeTokenTree(world.services, hash);
    const late = { op: "put", key: "late", value: new Uint8Array() } as const;
    const error = await world.services.barrier.commit([late, ...guard]).catch((thrown: unknown) => thrown);
    expect(hasCode(error, "STORE_CONFLICT")).toBe(true);
  });

  test("keeps a lease that could not be revoked due, and names it", async () => {
    const world = await TokenWorld.create();
    const { caller, id } = await world.token();
    await world.lease(caller);
    await world.services.barrier.commit([
      {
        op: "put",
        key: "core/mounts",
        value: Buffer.from(JSON.stringify({ v: 1, mounts: [] })),
      },
    ]);
    const reply = await world.call("update", "revoke", { token: id });
    expect(reply?.warnings?.[0]).toContain("1 of the leases could not be revoked yet");
    expect(await world.isAccepted(id)).toBe(false);
    const leases = (await world.keys()).filter((key) => key.startsWith("lease/"));
    expect(leases.length).toBe(1);
  });
});

describe("an expired token", () => {
  test("takes its children and all leases with it", async () => {
    const world = await TokenWorld.create();
    const before = await world.keys();
    const top = await world.token({ ttlSeconds: 60 });
    const child = await world.token({ parent: top.caller, ttlSeconds: 100_000 });
    await world.lease(child.caller);
    world.advance(59);
    await world.settle();
    expect(await world.isAccepted(child.id)).toBe(true);
    world.advance(1);
    expect(await world.isAccepted(top.id)).toBe(false);
    await world.settle();
    expect(await world.keys()).toEqual(before);
    expect(world.liveKeys.size).toBe(0);
  });

  test("that was renewed before the due work came to it stays", async () => {
    const world = await TokenWorld.create();
    const { id, hash } = await world.token({ ttlSeconds: 60 });
    await settleDueToken(world.services, hash);
    expect(await world.isAccepted(id)).toBe(true);
  });
});

describe("revoking a token and keeping its children", () => {
  test("ends its own leases alone", async () => {
    const world = await TokenWorld.create();
    const [top, child, grandchild] = await chain(world, 3);
    await revokeTokenOnly(world.services, top?.tokenHash ?? "");
    expect(world.liveKeys.size).toBe(2);
    const accepted = await Promise.all(
      [top, child, grandchild].map((it) => world.isAccepted(it?.token ?? "")),
    );
    expect(accepted).toEqual([false, true, true]);
    const data = (await world.call("update", "lookup", { token: child?.token ?? "" }))?.data;
    expect(data).toMatchObject({ orphan: true });
  });
});

describe("revoking by path", () => {
  test("ends the tokens below it and their trees, whole segments only", async () => {
    const world = await TokenWorld.create();
    const bob = await world.token({ path: "auth/userpass/login/bob" });
    const child = await world.token({ parent: bob.caller });
    const bobby = await world.token({ path: "auth/userpass/login/bobby" });
    const other = await world.token({ path: "auth/other/login/bob" });
    expect(await revokeTokensUnder(world.services, "/auth/userpass/login/bob/")).toBe(2);
    const tokens = [bob, child, bobby, other];
    expect(await Promise.all(tokens.map(({ id }) => world.isAccepted(id)))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(await revokeTokensUnder(world.services, "auth/userpass")).toBe(1);
  });

  test("tells paths apart that are too long for the index", async () => {
    const world = await TokenWorld.create();
    const long = `auth/${"deep/".repeat(40)}x`.repeat(3);
    const one = await world.token({ path: `${long}/one` });
    const two = await world.token({ path: `${long}/two` });
    expect(await revokeTokensUnder(world.services, `${long}/one`)).toBe(1);
    expect([await world.isAccepted(one.id), await world.isAccepted(two.id)]).toEqual([false, true]);
  });

  test("refuses an empty prefix, which would end everything", async () => {
    const world = await TokenWorld.create();
    const error = await revokeTokensUnder(world.services, "//").catch((thrown: unknown) => thrown);
    expect(hasCode(error, "USAGE")).toBe(true);
    expect(await world.isAccepted(world.root.token)).toBe(true);
  });
});

describe("the endpoints of revocation", () => {
  test.each([
    ["revoke", {}, "missing token ID"],
    ["revoke", { token: "hvb.AAAA" }, "batch tokens cannot be revoked"],
    ["revoke", { token: "unknown" }, "none"],
    ["revoke-orphan", {}, "missing token ID"],
    ["revoke-orphan", { token: "hvb.AAAA" }, "batch tokens cannot be revoked"],
    ["revoke-orphan", { token: "unknown" }, "token to revoke not found"],
    ["revoke-accessor", {}, "missing accessor"],
    ["revoke-accessor", { accessor: "../x" }, "none"],
  ])("%s with %j is answered %j", async (path, data, text) => {
    const world = await TokenWorld.create();
    expect(await refusal(() => world.call("update", path, data))).toBe(text);
  });

  test("revoke-self ends the caller, but no batch token", async () => {
    const world = await TokenWorld.create();
    const { caller, id } = await world.token();
    expect(await world.call("update", "revoke-self", {}, { caller })).toBeUndefined();
    expect(await world.isAccepted(id)).toBe(false);
    const batch = await world.token({ type: "batch" });
    expect(await refusal(() => world.call("update", "revoke-self", {}, { caller: batch.caller }))).toBe(
      "batch tokens cannot be revoked",
    );
  });

  test("revoke-accessor ends the token behind it, and says so when there is none", async () => {
    const world = await TokenWorld.create();
    const { id, record } = await world.token();
    const accessor = record.accessor;
    expect(await world.call("update", "revoke-accessor", { accessor })).toBeUndefined();
    expect(await world.isAccepted(id)).toBe(false);
    expect(await world.call("update", "revoke-accessor", { accessor })).toEqual({
      warnings: ["No token found with this accessor"],
    });
  });

  test("revoke-orphan needs sudo", async () => {
    const world = await TokenWorld.create();
    const { caller, id } = await world.token({ policies: ["a"] });
    const attempt = () => world.call("update", "revoke-orphan", { token: id }, { caller, sudo: false });
    expect(await refusal(attempt)).toBe("root or sudo privileges required to revoke and orphan");
    expect(await world.isAccepted(id)).toBe(true);
  });
});

describe("tidy", () => {
  test("finds nothing where nothing is wrong, leases of batch tokens included", async () => {
    const world = await TokenWorld.create();
    const [top] = await chain(world, 3);
    const orphan = await world.token({ type: "batch" });
    await world.lease(orphan.caller);
    const child = await world.token({ type: "batch", parent: top ?? null });
    await world.lease(child.caller);
    const before = await world.keys();
    expect(await tidyTokens(world.services)).toEqual({ indexEntries: 0, tokens: 0, owners: 0 });
    expect(await world.keys()).toEqual(before);
  });

  test("clears away what a token that is gone has left behind", async () => {
    const world = await TokenWorld.create();
    const before = await world.keys();
    const [top] = await chain(world, 3);
    await world.hide(top as Caller);
    await world.services.barrier.commit([{ op: "delete", key: `token/${top?.tokenHash}` }]);
    const reply = await world.call("update", "tidy");
    expect(reply?.status).toBe(202);
    expect(reply?.warnings?.[0]).toContain("Tidy operation successfully started.");
    expect(await world.keys()).toEqual(before);
    expect(world.liveKeys.size).toBe(0);
  });

  test("that is under way is not started again", async () => {
    const world = await TokenWorld.create();
    const { tokenBackend } = await import("../../../src/core/tokens/backend.ts");
    const backend = tokenBackend(world.services);
    const handler = backend.paths.find(({ pattern }) => pattern === "tidy")?.operations.update?.handler;
    const request = {} as Parameters<NonNullable<typeof handler>>[0];
    const [first, second] = await Promise.all([handler?.(request), handler?.(request)]);
    expect(first?.warnings?.[0]).toContain("successfully started");
    expect(second?.warnings).toEqual(["Tidy operation already in progress."]);
  });
});
