import { ExactNumber, isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import type { ParameterValues, Rule } from "./rule.ts";

/**
 * Whether a request's parameters keep a rule: what is required is there, nothing denied is, and, where the rule lists what
 * is allowed, nothing else is. Names are compared lower-cased.
 * @see reference: checks after the rule is found, parameters.
 */
export function allowsParameters({ allowed, denied, required }: Rule, data: JsonObject): boolean {
  if (required.size === 0 && denied.size === 0 && allowed.size === 0) return true;
  const given = Object.keys(data).map((name): [string, Json] => [name.toLowerCase(), data[name] ?? null]);
  if (required.size > 0) {
    const names = new Set(given.map(([name]) => name));
    for (const name of required) if (!names.has(name)) return false;
  }
  if (given.length === 0) return true;
  if (denied.has("*")) return false;
  if (given.some(([name, value]) => isListed(denied, name, value))) return false;
  if (allowed.size === 0) return true;
  const takesOthers = allowed.has("*");
  if (takesOthers && allowed.size === 1) return true;
  return given.every(([name, value]) => (allowed.has(name) ? isListed(allowed, name, value) : takesOthers));
}

/** True when the name is listed, with no values or with one that matches. */
function isListed(parameters: ParameterValues, name: string, value: Json): boolean {
  const values = parameters.get(name);
  return values !== undefined && (values.length === 0 || values.some((wanted) => matches(wanted, value)));
}

/** Equal as JSON; a wanted string may begin or end with `*`, which stands for any text. */
function matches(wanted: Json, value: Json): boolean {
  if (typeof wanted !== "string" || typeof value !== "string") return isEqual(wanted, value);
  const isOpenStart = wanted.startsWith("*");
  const isOpenEnd = wanted.endsWith("*");
  const text = wanted.slice(isOpenStart ? 1 : 0, isOpenEnd && wanted.length > 1 ? -1 : undefined);
  if (isOpenStart && isOpenEnd) return value.includes(text);
  if (isOpenStart) return value.endsWith(text);
  return isOpenEnd ? value.startsWith(text) : value === wanted;
}

function isEqual(one: Json, other: Json): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => isEqual(item, other[index] ?? null));
  }
  if (isJsonObject(one) && isJsonObject(other)) {
    const names = Object.keys(one);
    return (
      names.length === Object.keys(other).length &&
      names.every((name) => Object.hasOwn(other, name) && isEqual(one[name] ?? null, other[name] ?? null))
    );
  }
  return plain(one) === plain(other);
}

function plain(value: Json): Json {
  return value instanceof ExactNumber ? value.plain() : value;
}
