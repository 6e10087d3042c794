import { describe, expect, test } from "bun:test";
import { revokeTokenTree } from "../../../src/core/tokens/revoke.ts";
import { refusal, TokenWorld } from "./world.ts";

const SECONDS = 1_700_000_000;

describe("a lookup", () => {
  test("of the root token shows no end", async () => {
    const world = await TokenWorld.create();
    expect((await world.call("read", "lookup-self"))?.data).toEqual({
      accessor: world.root.record.accessor,
      creation_time: SECONDS,
      creation_ttl: 0,
      display_name: "root",
      entity_id: "",
      expire_time: null,
      explicit_max_ttl: 0,
      id: world.root.token,
      meta: null,
      num_uses: 0,
      orphan: true,
      path: "auth/token/root",
      policies: ["root"],
      ttl: 0,
      type: "service",
    });
  });

  test("of a token shows everything about it", async () => {
    const world = await TokenWorld.create();
    await world.call("update", "roles/it", { token_period: 3600, token_bound_cidrs: "10.0.0.0/8" });
    const { id, record, hash } = await world.token({
      parent: world.root,
      periodSeconds: 3600,
      explicitMaxTtlSeconds: 7200,
      numUses: 9,
      meta: { team: "x" },
      role: "it",
      entityId: "entity-1",
      boundCidrs: ["127.0.0.0/8"],
    });
    world.advance(60);
    await world.call("update", "renew", { token: id });
    world.advance(40);
    const data = (await world.call("update", "lookup", { token: id }))?.data;
    expect(data).toEqual({
      accessor: record.accessor,
      bound_cidrs: ["127.0.0.0/8"],
      creation_time: SECONDS,
      creation_ttl: 3600,
      display_name: "token",
      entity_id: "entity-1",
      expire_time: "2023-11-14T23:14:20.000Z",
      explicit_max_ttl: 7200,
      id,
      identity_policies: ["from-entity"],
      issue_time: "2023-11-14T22:13:20.000Z",
      last_renewal: "2023-11-14T22:14:20.000Z",
      last_renewal_time: SECONDS + 60,
      meta: { team: "x" },
      num_uses: 9,
      orphan: false,
      path: "auth/token/create",
      period: 3600,
      policies: ["default"],
      renewable: true,
      role: "it",
      ttl: 3560,
      type: "service",
    });
    const byAccessor = await world.call("update", "lookup-accessor", { accessor: record.accessor });
    expect(byAccessor?.data).toEqual({ ...data, id: "" });
    expect(JSON.stringify(data)).not.toContain(hash);
  });

  test("of a batch token works by the token, and shows no accessor", async () => {
    const world = await TokenWorld.create();
    const { id } = await world.token({ type: "batch", ttlSeconds: 100 });
    world.advance(10);
    const data = (await world.call("read", "lookup", { token: id }))?.data;
    expect(data).toMatchObject({ id, accessor: "", type: "batch", ttl: 90, renewable: false, orphan: true });
  });

  test("without a token is the caller's", async () => {
    const world = await TokenWorld.create();
    const { caller, id } = await world.token();
    expect((await world.call("update", "lookup", {}, { caller }))?.data?.id).toBe(id);
  });

  test("tells nothing about why a token is no good", async () => {
    const world = await TokenWorld.create();
    const expired = await world.token({ ttlSeconds: 1 });
    const revoked = await world.token();
    await revokeTokenTree(world.services, revoked.hash);
    world.advance(1);
    for (const token of ["unknown", expired.id, revoked.id, "hvb.AAAA"]) {
      expect(await refusal(() => world.call("update", "lookup", { token }))).toBe("bad token");
    }
  });

  test("by accessor is refused for none, an unknown one, and one whose token has expired", async () => {
    const world = await TokenWorld.create();
    const { record } = await world.token({ ttlSeconds: 1 });
    world.advance(1);
    const lookup = (accessor: string) => refusal(() => world.call("update", "lookup-accessor", { accessor }));
    expect(await lookup("")).toBe("missing accessor");
    expect(await lookup("none")).toBe("1 error occurred:\n\t* invalid accessor\n\n");
    expect(await lookup("../../core/mounts")).toBe("1 error occurred:\n\t* invalid accessor\n\n");
    expect(await lookup(record.accessor)).toBe("bad token");
  });
});

test("the accessors of all service tokens are listed", async () => {
  const world = await TokenWorld.create();
  const { record } = await world.token();
  await world.token({ type: "batch" });
  const expected = [record.accessor, world.root.record.accessor].sort();
  expect((await world.call("list", "accessors"))?.data).toEqual({ keys: expected });
});
