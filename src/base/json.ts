/** Values that JSON can carry. Everything stored, sent or received is of this type. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object. Objects that come from outside are made with {@link parseJsonObject}, so they have no prototype keys. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** True for a plain object, false for null, arrays and scalars. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const DEPTH_MAX = 64;

/**
 * Checks a parsed value's nesting, and copies its objects without `__proto__` keys.
 * @throws SyntaxError when the value nests deeper than 64 levels.
 */
function harden(value: unknown, depth: number): Json {
  if (depth > DEPTH_MAX) throw new SyntaxError(`nested deeper than ${DEPTH_MAX} levels`);
  if (Array.isArray(value)) return value.map((item) => harden(item, depth + 1));
  if (typeof value !== "object" || value === null) return value as Json;
  const copy: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key !== "__proto__") copy[key] = harden(item, depth + 1);
  }
  return copy;
}

/**
 * Parses JSON that comes from outside.
 * @throws SyntaxError for malformed text or one that nests deeper than 64 levels.
 */
export function parseJson(text: string): Json {
  return harden(JSON.parse(text), 0);
}
