import { createHmac } from "node:crypto";
import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import { decodeTime } from "../../framework/weak-decode.ts";

/** How a device treats what is sensitive. */
export interface Hasher {
  /** Hashes one text. */
  text(value: string): string;
  /** As {@link Hasher.text}, where the device hashes accessors. */
  accessor(value: string): string;
  /** Hashes every text in the data, at any depth, but those whose nearest key is named in `clearKeys`. */
  data(data: JsonObject, clearKeys: readonly string[]): JsonObject;
}

/** `hmac-sha256:` and the hex of HMAC-SHA256 of a value under a device's salt. @see reference: audit, hashing. */
export function auditHash(salt: string, value: string): string {
  return `hmac-sha256:${createHmac("sha256", salt).update(value, "utf8").digest("hex")}`;
}

export interface HashOptions {
  readonly salt: string;
  readonly hmacAccessor: boolean;
  /** Nothing is hashed. */
  readonly logRaw: boolean;
}

export function hasher({ salt, hmacAccessor, logRaw }: HashOptions): Hasher {
  if (logRaw) return { text: (value) => value, accessor: (value) => value, data: (data) => data };
  const text = (value: string): string => auditHash(salt, value);
  return {
    text,
    accessor: (value) => (hmacAccessor ? text(value) : value),
    data: (data, clearKeys) => hashObject(data, new Set(clearKeys), text),
  };
}

type Hash = (value: string) => string;

function hashObject(data: JsonObject, clearKeys: ReadonlySet<string>, hash: Hash): JsonObject {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, hashValue(value, clearKeys.has(key), clearKeys, hash)]),
  );
}

/** @param isClear - Whether the nearest key above is one of the clear ones; an object's own keys decide afresh. */
function hashValue(value: Json, isClear: boolean, clearKeys: ReadonlySet<string>, hash: Hash): Json {
  if (typeof value === "string") return isClear || isTimestamp(value) ? value : hash(value);
  if (Array.isArray(value)) return value.map((item: Json) => hashValue(item, isClear, clearKeys, hash));
  return isJsonObject(value) ? hashObject(value, clearKeys, hash) : value;
}

/** RFC 3339, with no more digits of a second than Go writes: a longer run of digits could be anything. */
const RFC3339_NANO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** Whether a text is a moment and no more, which tells nothing. */
function isTimestamp(text: string): boolean {
  if (!RFC3339_NANO.test(text)) return false;
  try {
    decodeTime(text);
    return true;
  } catch (error) {
    // Shaped like one, and no day or hour that exists.
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
