import type { JsonObject } from "../../../base/json.ts";
import type { EngineStorage } from "../../../framework/storage.ts";
import { authorizationsOf } from "./authorizations.ts";
import { type OrderRecord, orderKey, readRecord, type Stored } from "./records.ts";

const ID = /^[0-9a-f-]{36}$/;

export type OrderStatus = "pending" | "ready" | "processing" | "valid" | "invalid";

/** Null: the account has none with this id. */
export async function findOrder(
  storage: EngineStorage,
  account: string,
  id: string,
): Promise<Stored<OrderRecord> | null> {
  return ID.test(id) ? readRecord(storage, orderKey({ account, id })) : null;
}

/** Where an order stands: what is kept of it, its authorizations, and the time decide (RFC 8555 section 7.1.6). */
export async function orderStatus(
  storage: EngineStorage,
  order: OrderRecord,
  now: number,
): Promise<OrderStatus> {
  if (order.state === "valid" || order.state === "invalid") return order.state;
  if (now >= order.expiresAt) return "invalid";
  if (order.state === "finalizing" && now < (order.finalizeBy ?? 0)) return "processing";
  const authorizations = await authorizationsOf(storage, order);
  if (authorizations.length < order.authorizations.length) return "invalid";
  if (authorizations.some(({ status }) => status === "invalid" || status === "deactivated")) return "invalid";
  return authorizations.every(({ status }) => status === "valid") ? "ready" : "pending";
}

/** An order as clients see it. @param url - Of its directory. */
export function describeOrder(order: OrderRecord, status: OrderStatus, url: string): JsonObject {
  const own = `${url}/order/${order.id}`;
  return {
    status,
    expires: rfc3339(order.expiresAt),
    identifiers: order.identifiers.map(({ type, value }) => ({ type, value })),
    authorizations: order.authorizations.map((id) => `${url}/authorization/${id}`),
    finalize: `${own}/finalize`,
    ...(order.certificate === null ? {} : { certificate: `${own}/cert` }),
    ...(order.error === null ? {} : { error: order.error }),
  };
}

/** A moment in whole seconds, UTC. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
