import { beforeEach, describe, expect, test } from "bun:test";
import { CoreWorld, dataOf, errorOf } from "./world.ts";

let world: CoreWorld;
beforeEach(async () => {
  world = await CoreWorld.create();
});

const renew = (lease_id: string, increment = 0) => world.put("sys/leases/renew", { lease_id, increment });

describe("a lease", () => {
  test("is issued as active, due at its end, with what revocation needs", async () => {
    const { id, key, seconds } = await world.issue("tiny/key/a", { ttl: "10m" });
    expect(id).toMatch(/^tiny\/key\/a\/[0-9A-Za-z]{24}$/);
    expect(seconds).toBe(600);
    const end = world.now + 600_000;
    expect(await world.record(id)).toMatchObject({
      state: "active",
      principal: key,
      expiresAt: end,
      dueAt: end,
      internal: { key },
      createUntil: null,
    });
  });

  test("is revoked when it ends, and not before", async () => {
    const { id, key } = await world.issue("tiny/key/a", { ttl: 60 });
    world.advance(59);
    expect(await world.daemon()).toEqual({ done: 0, failed: 0 });
    expect(world.keys.live.has(key)).toBe(true);
    world.advance(1);
    expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
    expect(world.keys.live.has(key)).toBe(false);
    expect(await world.record(id)).toBeNull();
  });

  test("that was renewed is not revoked at its first deadline", async () => {
    const { id, key } = await world.issue("tiny/key/a", { ttl: 60 });
    world.advance(30);
    expect((await renew(id, 100)).body).toMatchObject({ lease_id: id, renewable: true, lease_duration: 100 });
    world.advance(31);
    await world.daemon();
    expect(world.keys.live.has(key)).toBe(true);
    world.advance(69);
    await world.daemon();
    expect(world.keys.live.has(key)).toBe(false);
  });

  test("is made shorter by a short increment", async () => {
    const { id, key } = await world.issue("tiny/key/a", { ttl: 600 });
    await renew(id, 10);
    world.advance(10);
    await world.daemon();
    expect(world.keys.live.has(key)).toBe(false);
  });

  test("is found by its id and by its principal", async () => {
    const { id, key } = await world.issue("tiny/key/a", { ttl: 60 });
    world.advance(10);
    const byId = await world.put("sys/leases/lookup", { lease_id: id });
    expect(dataOf(byId)).toEqual({
      expire_time: new Date(world.now + 50_000).toISOString(),
      id,
      issue_time: new Date(world.now - 10_000).toISOString(),
      last_renewal: null,
      path: "tiny/key/a",
      renewable: true,
      ttl: 50,
      principal: key,
    });
    expect(dataOf(await world.put("sys/leases/lookup", { lease_id: key }))).toEqual(dataOf(byId));
  });

  test("is found by a name that the backend chose, for as long as it is there", async () => {
    const { id, key } = await world.issue("tiny/key/serial", { ttl: 60 });
    const lookUp = () => world.put("sys/leases/lookup", { lease_id: `serial of ${key}` });
    expect(dataOf(await lookUp())).toMatchObject({ id, principal: key });
    await renew(id, 100);
    expect(dataOf(await lookUp())).toMatchObject({ id, principal: key });
    await world.put("sys/leases/revoke", { lease_id: id });
    expect(errorOf(await lookUp())).toBe("invalid lease");
  });

  test("whose mount was tuned is renewed by the new maximum", async () => {
    const { id } = await world.issue("tiny/key/a", { ttl: 60 });
    await world.put("sys/mounts/tiny/tune", { default_lease_ttl: "30s", max_lease_ttl: "90s" });
    const { body } = await renew(id, 600);
    expect(body).toMatchObject({ lease_duration: 90 });
  });
});

describe("renewing is refused", () => {
  test("without an id", async () => {
    const answer = await world.put("sys/leases/renew");
    expect([answer.status, errorOf(answer)]).toEqual([400, "lease_id must be specified"]);
  });

  test("for an unknown lease", async () => {
    const answer = await renew("tiny/key/a/nothing");
    expect([answer.status, errorOf(answer)]).toEqual([400, "lease not found"]);
  });

  test("after expiry", async () => {
    const { id } = await world.issue("tiny/key/a", { ttl: 60 });
    world.advance(60);
    const answer = await renew(id);
    expect([answer.status, errorOf(answer)]).toEqual([400, "lease expired"]);
  });

  test("past the maximum", async () => {
    const { id } = await world.issue("tiny/key/a", { ttl: 60, max: 60 });
    world.advance(59);
    expect((await renew(id, 60)).body).toMatchObject({ lease_duration: 1 });
    await world.put("sys/mounts/tiny/tune", { default_lease_ttl: "10s", max_lease_ttl: "10s" });
    const answer = await renew(id, 60);
    expect([answer.status, errorOf(answer)]).toEqual([400, "past the max TTL, cannot renew"]);
  });

  test("where the engine's secret cannot be renewed", async () => {
    const { id } = await world.issue("tiny/key/fixed", { ttl: 60 });
    const answer = await renew(id);
    expect([answer.status, errorOf(answer)]).toEqual([400, "lease is not renewable"]);
  });

  test("when the engine refuses, and the lease keeps its end", async () => {
    const { id } = await world.issue("tiny/key/stubborn", { ttl: 60 });
    const answer = await renew(id, 600);
    expect(answer.status).toBe(500);
    expect(errorOf(answer)).toContain("failed to renew entry: the backend does not want to");
    expect(await world.record(id)).toMatchObject({ expiresAt: world.now + 60_000 });
  });

  test("once it counts as irrevocable", async () => {
    const { id } = await world.issue("tiny/key/a", { ttl: 60 });
    world.keys.broken = "no";
    for (let attempt = 1; attempt <= 6; attempt += 1) await world.put("sys/leases/revoke", { lease_id: id });
    const answer = await renew(id);
    expect([answer.status, errorOf(answer)]).toEqual([
      400,
      "lease is expired and has failed previous revocation attempts",
    ]);
  });
});

describe("looking up", () => {
  test("an unknown lease is refused", async () => {
    const answer = await world.put("sys/leases/lookup", { lease_id: "tiny/key/a/nothing" });
    expect([answer.status, errorOf(answer)]).toEqual([400, "invalid lease"]);
  });

  test("nothing is refused", async () => {
    const answer = await world.put("sys/leases/lookup");
    expect([answer.status, errorOf(answer)]).toEqual([400, "lease_id must be specified"]);
  });

  test.each(["..", "tiny//key", "/", "a/../b", ""])("%p finds no lease", async (lease_id) => {
    expect((await world.put("sys/leases/lookup", { lease_id })).status).toBe(400);
  });

  test("lists level by level", async () => {
    const { id } = await world.issue("tiny/key/a");
    await world.issue("tiny/key/b");
    await world.issue("tinier/key/a");
    const list = async (below: string) => dataOf(await world.send("LIST", `sys/leases/lookup${below}`)).keys;
    expect(await list("")).toEqual(["tinier/", "tiny/"]);
    expect(await list("/tiny/key")).toEqual(["a/", "b/"]);
    expect(await list("/tiny/key/a/")).toEqual([id.split("/").at(-1) ?? ""]);
    expect((await world.send("LIST", "sys/leases/lookup/tiny/key/c")).status).toBe(404);
  });
});
