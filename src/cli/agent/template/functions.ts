import type { Json, JsonObject } from "../../../base/json.ts";
import { isJsonObject } from "../../../base/json.ts";

/** What a template works with; undefined stands for what is not there. */
export type Value = Json | undefined;

type TemplateFunction = (...values: readonly Value[]) => Value;

/** A value as it is shown. */
export function shown(value: Value): string {
  if (value === undefined || value === null) return "<no value>";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${value.map(shown).join(" ")}]`;
  if (isJsonObject(value)) {
    const pairs = Object.keys(value)
      .sort()
      .map((key) => `${key}:${shown(value[key])}`);
    return `map[${pairs.join(" ")}]`;
  }
  return String(value);
}

/** Whether `if` and `with` take their first branch: not for nothing, false, 0 and what is empty. */
export function isTrue(value: Value): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === "") return false;
  if (Array.isArray(value)) return value.length > 0;
  return isJsonObject(value) ? Object.keys(value).length > 0 : true;
}

const text = (value: Value): string => (value === undefined || value === null ? "" : shown(value));
const isSame = (a: Value, b: Value): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
const lengthOf = (value: Value): number =>
  isJsonObject(value)
    ? Object.keys(value).length
    : Array.isArray(value) || typeof value === "string"
      ? value.length
      : 0;

function index(value: Value, ...keys: readonly Value[]): Value {
  return keys.reduce<Value>((inner, key) => {
    if (Array.isArray(inner)) return (inner as readonly Json[])[Number(key)];
    if (!isJsonObject(inner) || !Object.hasOwn(inner, text(key))) return undefined;
    return inner[text(key)];
  }, value);
}

/** Go's verbs for texts and numbers. */
function printf(format: Value, ...values: readonly Value[]): string {
  let next = 0;
  return text(format).replace(/%([svdq%])/g, (_, verb: string) => {
    if (verb === "%") return "%";
    const value = values[next];
    next += 1;
    return verb === "q" ? JSON.stringify(text(value)) : text(value);
  });
}

function sorted(value: Value): Value {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => sorted(item) ?? null);
  if (!isJsonObject(value)) return value;
  const pairs = Object.keys(value)
    .sort()
    .map((key) => [key, sorted(value[key]) ?? null] as const);
  return Object.fromEntries(pairs) as JsonObject;
}

/** Go's and consul-template's functions, as far as they are supported; those that need the world are the renderer's. */
export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ["and", (...values) => values.find((value) => !isTrue(value)) ?? values.at(-1)],
  ["or", (...values) => values.find(isTrue) ?? values.at(-1)],
  ["not", (value) => !isTrue(value)],
  ["eq", (value, ...others) => others.some((other) => isSame(value, other))],
  ["ne", (a, b) => !isSame(a, b)],
  ["len", lengthOf],
  ["index", index],
  ["printf", printf],
  ["print", (...values) => values.map(text).join("")],
  ["toLower", (value) => text(value).toLowerCase()],
  ["toUpper", (value) => text(value).toUpperCase()],
  ["trimSpace", (value) => text(value).trim()],
  ["split", (separator, value) => text(value).split(text(separator))],
  [
    "join",
    (separator, value) => (Array.isArray(value) ? value.map(shown).join(text(separator)) : text(value)),
  ],
  ["replaceAll", (from, to, value) => text(value).replaceAll(text(from), text(to))],
  [
    "contains",
    (part, value) =>
      Array.isArray(value) ? value.some((it) => isSame(it, part)) : text(value).includes(text(part)),
  ],
  [
    "indent",
    (count, value) => text(value).replace(/^(?=.)/gm, " ".repeat(Math.min(Number(count) || 0, 1000))),
  ],
  ["base64Encode", (value) => Buffer.from(text(value)).toString("base64")],
  ["base64Decode", (value) => Buffer.from(text(value), "base64").toString("utf8")],
  ["toJSON", (value) => JSON.stringify(sorted(value) ?? null)],
  ["toJSONPretty", (value) => JSON.stringify(sorted(value) ?? null, null, 2)],
  ["parseJSON", (value) => JSON.parse(text(value)) as Json],
]);
