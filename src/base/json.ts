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

/** A JSON object. None that comes from outside has a key `__proto__`: {@link parseInput}, {@link parseJson}. */
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

/** JSON that is well formed and is not taken. Unlike the parser's own, its message quotes nothing of the text. */
export class RefusedJson extends SyntaxError {}

/** The name that objects of JavaScript have for something else: a later copy of the data could meet it. */
const PROTOTYPE_KEY = "__proto__";

/** A text without any of these has no key of that name, in whatever way it may be written: an escape can stand for any letter. */
const MAYBE_PROTOTYPE_KEY = /__proto__|\\u/;

/**
 * Checks a parsed value's nesting, and copies its objects without `__proto__` keys.
 * @throws RefusedJson when the value nests deeper.
 */
function harden(value: unknown, depth: number, depthMax: number): Json {
  if (depth > depthMax) throw new RefusedJson(`nested deeper than ${depthMax} levels`);
  if (Array.isArray(value)) return value.map((item) => harden(item, depth + 1, depthMax));
  if (typeof value !== "object" || value === null || value instanceof ExactNumber) return value as Json;
  const copy: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key !== PROTOTYPE_KEY) copy[key] = harden(item, depth + 1, depthMax);
  }
  return copy;
}

/** @throws RefusedJson when the value nests deeper. */
function checkDepth(value: unknown, depth: number, depthMax: number): void {
  if (depth > depthMax) throw new RefusedJson(`nested deeper than ${depthMax} levels`);
  if (typeof value !== "object" || value === null || value instanceof ExactNumber) return;
  for (const key in value) checkDepth((value as Record<string, unknown>)[key], depth + 1, depthMax);
}

/**
 * Data that somebody wants to have kept must not lose a part of it without a word.
 * @throws RefusedJson for a key `__proto__` at any depth.
 */
export function refusePrototypeKeys(value: unknown): void {
  if (typeof value !== "object" || value === null || value instanceof ExactNumber) return;
  if (Object.hasOwn(value, PROTOTYPE_KEY)) throw new RefusedJson(`"${PROTOTYPE_KEY}" cannot be a key`);
  for (const item of Object.values(value)) refusePrototypeKeys(item);
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
 * Parses JSON that comes from outside. Numbers that a double would write differently are {@link ExactNumber}s; keys `__proto__`
 * are left out, which nobody misses in a document of somebody else's.
 * @param depthMax - More than usual for an answer, which holds what was sent some levels down.
 * @throws SyntaxError for malformed text; RefusedJson for one that nests deeper.
 */
export function parseJson(text: string, depthMax = DEPTH_MAX): Json {
  const value = parsed(text);
  if (MAYBE_PROTOTYPE_KEY.test(text)) return harden(value, 0, depthMax);
  checkDepth(value, 0, depthMax);
  return value as Json;
}

/**
 * Parses JSON that this program has written itself, from what it had taken: so it is looked at no further.
 * @param bytes - UTF-8.
 * @throws SyntaxError for malformed text.
 */
export function parseStored(bytes: Uint8Array): Json {
  return parsed(decoder.decode(bytes)) as Json;
}

const decoder = new TextDecoder();

/**
 * Parses JSON that somebody sends to have it kept.
 * @throws SyntaxError for malformed text; RefusedJson for one that nests deeper, or has a key `__proto__`.
 */
export function parseInput(text: string): Json {
  const value = parsed(text);
  const safe = harden(value, 0, DEPTH_MAX);
  refusePrototypeKeys(value);
  return safe;
}

function parsed(text: string): unknown {
  return MAYBE_EXACT.test(text)
    ? JSON.parse(text, keepExact as Parameters<typeof JSON.parse>[1])
    : JSON.parse(text);
}
