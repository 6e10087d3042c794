import { parseDurationMs } from "../../base/duration.ts";
import { badRequest, messageOf } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { textDetail } from "./connection-url.ts";

const CONNECTIONS_DEFAULT = 4;
const CONNECTIONS_MAX = 100;

/** How many connections to one server there may be, and how long each is kept. */
export interface PoolLimits {
  readonly connectionsMax: number;
  readonly idleMax: number;
  /** 0: for ever. */
  readonly lifetimeMs: number;
}

/**
 * Reads `max_open_connections`, `max_idle_connections` and `max_connection_lifetime` from connection details.
 * @throws ApiError 400 naming the one that is wrong.
 * @see reference: engines.md section 1.8.
 */
export function poolLimits(details: JsonObject): PoolLimits {
  const maximum = connectionsMax(details);
  return { connectionsMax: maximum, idleMax: idleMax(details, maximum), lifetimeMs: lifetimeMs(details) };
}

function wholeNumber(details: JsonObject, name: string): number {
  const number = Number(textDetail(details, name) || 0);
  if (!Number.isSafeInteger(number)) throw badRequest(`${name} must be a whole number`);
  return number;
}

function connectionsMax(details: JsonObject): number {
  const number = wholeNumber(details, "max_open_connections");
  if (number < 0) return CONNECTIONS_MAX;
  return number === 0 ? CONNECTIONS_DEFAULT : Math.min(number, CONNECTIONS_MAX);
}

function idleMax(details: JsonObject, maximum: number): number {
  const number = wholeNumber(details, "max_idle_connections");
  if (number < 0) return 0;
  return number === 0 ? maximum : Math.min(number, maximum);
}

function lifetimeMs(details: JsonObject): number {
  const text = textDetail(details, "max_connection_lifetime");
  try {
    return Math.max(parseDurationMs(text), 0);
  } catch (error) {
    throw badRequest(`invalid max_connection_lifetime: ${messageOf(error)}`, error);
  }
}
