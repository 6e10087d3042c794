/** Reading the connection details that are a plugin's own. Every function names the parameter in its refusal. */

import { parseDurationMs } from "../../base/duration.ts";
import { badRequest, messageOf } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { textDetail } from "./connection-url.ts";

/** A detail that must be there. @throws ApiError 400 `host cannot be empty`. */
export function requiredDetail(details: JsonObject, name: string): string {
  const text = textDetail(details, name);
  if (text === "") throw badRequest(`${name} cannot be empty`);
  return text;
}

/** A whole number between bounds; `fallback` when absent or 0. @throws ApiError 400. */
export function numberDetail(
  details: JsonObject,
  name: string,
  { min, max, fallback }: { readonly min: number; readonly max: number; readonly fallback: number },
): number {
  const number = Number(textDetail(details, name) || 0);
  if (number === 0) return fallback;
  if (!Number.isSafeInteger(number) || number < min || number > max) {
    throw badRequest(`${name} must be a whole number from ${min} to ${max}`);
  }
  return number;
}

/** A TCP port; `fallback` when absent, which 0 makes a refusal. @throws ApiError 400. */
export function portDetail(details: JsonObject, name: string, fallback: number): number {
  const port = numberDetail(details, name, { min: 1, max: 65_535, fallback });
  if (port === 0) throw badRequest(`${name} cannot be empty`);
  return port;
}

/** A duration in milliseconds, cut to `max`; `fallback` when absent or 0. @throws ApiError 400. */
export function durationDetail(
  details: JsonObject,
  name: string,
  { max, fallback }: { readonly max: number; readonly fallback: number },
): number {
  const text = textDetail(details, name);
  try {
    const milliseconds = parseDurationMs(text);
    return milliseconds <= 0 ? fallback : Math.min(milliseconds, max);
  } catch (error) {
    throw badRequest(`invalid ${name}: ${messageOf(error)}`, error);
  }
}

/** A PEM text; undefined when absent. @throws ApiError 400 for a text that is none. */
export function pemDetail(details: JsonObject, name: string): string | undefined {
  const text = textDetail(details, name);
  if (text === "") return undefined;
  if (!text.includes("-----BEGIN")) throw badRequest(`${name} is not a PEM text`);
  return text;
}
