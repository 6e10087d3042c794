/** Values that JSON can carry. Everything stored, sent or received is of this type. */
export type Json = null | boolean | number | ExactNumber | string | readonly Json[] | JsonObject;

/**
 * A number that a double would not write back as it was written: `9007199254740993`, `1.0`, `1e3`. People keep such numbers as
 * secrets, and have to get back what they wrote. Parsing makes these where they are needed; all other numbers are plain ones.
 */
export class ExactNumber {
  /** As it was written; a number by JSON's grammar (RFC 8259 section 6). */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The number for who calculates with it; its text where a double is too small to hold it. */
  plain(): number | string {
    const value = Number(this.text);
    return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value : this.text;
  }

  toString(): string {
    return this.text;
  }

  /** For JSON.stringify, which then writes the text as it is (ECMA-262, JSON.rawJSON). */
  toJSON(): unknown {
    return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(this.text);
  }
}

/** A JSON object. Objects that come from outside are made with {@link parseJsonObject}, so they have no prototype keys. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** True for a plain object, false for null, arrays and scalars. */
export function isJsonObject(value: unknown): value is JsonObject {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
  );
}

const DEPTH_MAX = 64;

/**
 * Checks a parsed value's nesting, and copies its objects without `__proto__` keys.
 * @throws SyntaxError when the value nests deeper.
 */
function harden(value: unknown, depth: number, depthMax: number): Json {
  if (depth > depthMax) throw new SyntaxError(`nested deeper than ${depthMax} levels`);
  if (Array.isArray(value)) return value.map((item) => harden(item, depth + 1, depthMax));
  if (typeof value !== "object" || value === null || value instanceof ExactNumber) return value as Json;
  const copy: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key !== "__proto__") copy[key] = harden(item, depth + 1, depthMax);
  }
  return copy;
}

/**
 * Where a number may stand that has a fraction, an exponent, many digits, or a sign before its zero. It finds some texts as
 * well, which costs them a slower parser and nothing else.
 */
const MAYBE_EXACT = /(?:^|[:,[\s])-?(?:\d+[.eE]|\d{16}|(?<=-)0)/;

/** Called for each value; only of numbers does it get to see how they were written. */
function keepExact(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== "number" || source === undefined || String(value) === source) return value;
  return new ExactNumber(source);
}

/**
 * Parses JSON that comes from outside. Numbers that a double would write differently are {@link ExactNumber}s.
 * @param depthMax - More than usual for an answer, which holds what was sent some levels down.
 * @throws SyntaxError for malformed text or one that nests deeper.
 */
export function parseJson(text: string, depthMax = DEPTH_MAX): Json {
  const parsed: unknown = MAYBE_EXACT.test(text)
    ? JSON.parse(text, keepExact as Parameters<typeof JSON.parse>[1])
    : JSON.parse(text);
  return harden(parsed, 0, depthMax);
}
