import { formatDuration } from "../../base/duration.ts";
import { isJsonObject, type Json } from "../../base/json.ts";

/** Compares keys byte by byte, as Go sorts strings (UTF-16 order differs only beyond the basic plane). */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** A copy with the keys of every object sorted. */
export function sortedDeep(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(sortedDeep);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => compareKeys(a, b));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortedDeep(item)]));
}

/** A value as tables show it: Go's `%v`, so `<nil>`, `[a b]`, `map[a:1 b:2]`. */
export function plainValue(value: Json): string {
  if (value === null) return "<nil>";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(plainValue).join(" ")}]`;
  if (isJsonObject(value)) {
    const entries = Object.entries(value).sort(([a], [b]) => compareKeys(a, b));
    return `map[${entries.map(([key, item]) => `${key}:${plainValue(item)}`).join(" ")}]`;
  }
  return String(value);
}

const DURATION_KEY = /^(?:ttl|period|duration|lease_max|ttl_max|.*_(?:ttl|period|duration))$/;

/** A value of a data row: whole numbers under keys that look like durations print as `1h30m`. */
export function rowValue(key: string, value: Json): string {
  if (typeof value === "number" && Number.isInteger(value) && DURATION_KEY.test(key))
    return formatDuration(value);
  return plainValue(value);
}

/** The policies of a token: quoted, since names may hold blanks. */
export function quotedList(value: Json | undefined): string {
  const items = Array.isArray(value) ? (value as readonly Json[]) : [];
  return `[${items.map((item) => JSON.stringify(item)).join(" ")}]`;
}
