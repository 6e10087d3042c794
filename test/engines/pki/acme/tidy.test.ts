import { expect, test } from "bun:test";
import { type CoreWorld, dataOf } from "../../../core/world.ts";
import { acmeWorld, TestClient } from "./world.ts";

const DAY = 86_400;

async function tidy(world: CoreWorld) {
  await world.put("pki/tidy", { tidy_acme: true });
  const { state, ...counts } = dataOf(await world.get("pki/tidy-status"));
  const { total_acme_account_count: total, acme_account_revoked_count: revoked } = counts;
  const { acme_account_deleted_count: deleted, acme_orders_deleted_count: orders } = counts;
  return { state, total, revoked, deleted, orders };
}

test("an account without orders is revoked once it is old, and gone as long after that; one with orders stays", async () => {
  const world = await acmeWorld();
  const [idle, busy] = [await TestClient.create(world), await TestClient.create(world)];
  await idle.register();
  await busy.register();
  world.advance(29 * DAY);
  await busy.order("a.test");
  expect(await tidy(world)).toEqual({ state: "Finished", total: 2, revoked: 0, deleted: 0, orders: 0 });
  world.advance(DAY + 1 - DAY / 2);
  expect((await busy.order("b.test")).status).toBe(201);
  world.advance(DAY / 2);
  // The first order is over, and was not cleared away by due work; the second is open.
  expect(await tidy(world)).toEqual({ state: "Finished", total: 2, revoked: 1, deleted: 0, orders: 1 });
  expect((await idle.post("orders", "")).body.detail).toBe("the account is revoked");
  world.advance(30 * DAY + 1);
  await busy.order("c.test");
  expect(await tidy(world)).toEqual({ state: "Finished", total: 2, revoked: 0, deleted: 1, orders: 1 });
  idle.kid = "";
  // Its key is nobody's again.
  expect((await idle.register()).status).toBe(201);
  expect((await busy.post("orders", "")).status).toBe(200);
});
