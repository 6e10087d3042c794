import { parseDurationSeconds } from "../base/duration.ts";
import { ExactNumber, isJsonObject, type Json, type JsonObject, refusePrototypeKeys } from "../base/json.ts";

/*
 * Vault's weak decoding of request values: people type `ttl=60` and `enabled=1`, which arrive as strings, and the API takes
 * them for what the field is. Each function takes a value that is not null (null means absent) and throws SyntaxError.
 * @see reference: field types and durations.
 */

/** Elements of one list. A longer one is refused rather than worked through. */
const LIST_LENGTH_MAX = 100_000;

const QUOTED_CHARS_MAX = 80;

/** Quotes a value for a message, cut when it is long. */
function quoted(text: string): string {
  return JSON.stringify(text.length > QUOTED_CHARS_MAX ? `${text.slice(0, QUOTED_CHARS_MAX)}…` : text);
}

/** What people call the type of a JSON value. */
function typeName(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (value instanceof ExactNumber) return "a number";
  if (typeof value === "object") return "a map";
  return typeof value === "boolean" ? "a bool" : `a ${typeof value}`;
}

function mismatch(wanted: string, value: Json): SyntaxError {
  return new SyntaxError(`expected ${wanted}, got ${typeName(value)}`);
}

/** Strings as they are, numbers as decimal text, bools as `1` and `0`. */
export function decodeString(value: Json): string {
  if (typeof value === "string") return value;
  if (value instanceof ExactNumber) return value.text;
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  throw mismatch("a string", value);
}

export function decodeLowerCaseString(value: Json): string {
  return decodeString(value).toLowerCase();
}

/** Go's integer literals: a sign, then decimal, 0x, 0o, 0b or a leading zero for octal; underscores between digits. */
const INT_TEXT =
  /^([+-]?)(0x_?[0-9a-f]+(?:_[0-9a-f]+)*|0b_?[01]+(?:_[01]+)*|0o?_?[0-7]+(?:_[0-7]+)*|0|[1-9]\d*(?:_\d+)*)$/i;

/** The integer that a Go literal stands for; undefined when the text is none, or not exact in a double. */
export function parseGoInt(text: string): number | undefined {
  const match = INT_TEXT.exec(text);
  if (match === null) return undefined;
  const digits = (match[2] ?? "").replaceAll("_", "").replace(/^0(?=[0-7])/, "0o");
  const magnitude = Number(digits);
  if (!Number.isSafeInteger(magnitude)) return undefined;
  return match[1] === "-" && magnitude !== 0 ? -magnitude : magnitude;
}

/** Whole numbers, their text in any form of Go's, bools as 1 and 0; the empty string is 0. */
export function decodeInt(value: Json): number {
  if (value instanceof ExactNumber) return decodeInt(value.plain());
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number") {
    if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
    throw new SyntaxError(`cannot parse "${value}" as int`);
  }
  if (typeof value !== "string") throw mismatch("an int", value);
  if (value === "") return 0;
  const parsed = parseGoInt(value);
  if (parsed === undefined) throw new SyntaxError(`cannot parse ${quoted(value)} as int`);
  return parsed;
}

/** Numbers, their decimal text, bools as 1 and 0; the empty string is 0. Never NaN or infinite: JSON has neither. */
export function decodeFloat(value: Json): number {
  if (value instanceof ExactNumber) return decodeFloat(value.text);
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number") return value;
  if (typeof value !== "string") throw mismatch("a float", value);
  if (value === "") return 0;
  const parsed = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(value) ? Number(value) : Number.NaN;
  if (!Number.isFinite(parsed)) throw new SyntaxError(`cannot parse ${quoted(value)} as float`);
  return parsed;
}

const TRUE_TEXTS: ReadonlySet<string> = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE_TEXTS: ReadonlySet<string> = new Set(["", "0", "f", "F", "FALSE", "false", "False"]);

/** Bools, 1 and 0, and Go's words for them; the empty string is false. */
export function decodeBool(value: Json): boolean {
  if (value instanceof ExactNumber) return decodeBool(value.plain());
  if (typeof value === "boolean") return value;
  if (typeof value !== "string" && typeof value !== "number") throw mismatch("a bool", value);
  const text = String(value);
  if (TRUE_TEXTS.has(text)) return true;
  if (FALSE_TEXTS.has(text)) return false;
  throw new SyntaxError(`cannot parse ${quoted(text)} as bool`);
}

/** Whole seconds, negative ones too: a number of seconds, its text, or a Go duration, fractions of a second dropped. */
export function decodeSignedDuration(value: Json): number {
  if (value instanceof ExactNumber) return decodeSignedDuration(value.plain());
  if (typeof value !== "string" && typeof value !== "number") {
    throw new SyntaxError("could not parse duration from input");
  }
  const seconds = parseDurationSeconds(String(value));
  // Go has no negative zero, and nobody wants to read one.
  return seconds === 0 ? 0 : seconds;
}

/** As {@link decodeSignedDuration}, without the negative ones. */
export function decodeDuration(value: Json): number {
  const seconds = decodeSignedDuration(value);
  if (seconds < 0) throw new SyntaxError(`cannot provide negative value '${seconds}'`);
  return seconds;
}

/** RFC 3339 section 5.6, upper case, any fraction. */
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** The farthest moment that a JavaScript date holds, in milliseconds (ECMA-262, time range). */
const TIME_MS_MAX = 8.64e15;

/** Milliseconds since the epoch, from RFC 3339 text or a number of Unix seconds. */
export function decodeTime(value: Json): number {
  if (value instanceof ExactNumber) return decodeTime(value.plain());
  if (typeof value !== "string" && typeof value !== "number") {
    throw new SyntaxError("could not parse time from input type");
  }
  const text = String(value);
  const ms = /^[+-]?\d+$/.test(text) ? Number(text) * 1000 : parseRfc3339(text);
  if (ms === undefined || Math.abs(ms) > TIME_MS_MAX) {
    throw new SyntaxError("could not parse string as date and time");
  }
  return ms === 0 ? 0 : ms;
}

function parseRfc3339(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  // Date.parse would turn February 30 into March 2.
  const daysInMonth = new Date(Date.UTC(year ?? 0, month ?? 0, 0)).getUTCDate();
  const inRange = (month ?? 0) >= 1 && (month ?? 0) <= 12 && (day ?? 0) >= 1 && (day ?? 0) <= daysInMonth;
  if (!inRange || (hour ?? 0) > 23 || (minute ?? 0) > 59 || (second ?? 0) > 59) return undefined;
  return Date.parse(text);
}

/** A list as it is; anything else is its only element; an empty map is an empty list. */
export function decodeList(value: Json): readonly Json[] {
  if (Array.isArray(value)) {
    if (value.length > LIST_LENGTH_MAX) throw new SyntaxError(`more than ${LIST_LENGTH_MAX} elements`);
    return value;
  }
  return isJsonObject(value) && Object.keys(value).length === 0 ? [] : [value];
}

/** A null element counts as the empty string, as in Go. */
const decodeElement = (element: Json): string => (element === null ? "" : decodeString(element).trim());

/** A list of strings, or one string, which is not split; `""` is the empty list. Elements are trimmed. */
export function decodeStringList(value: Json): readonly string[] {
  return value === "" ? [] : decodeList(value).map(decodeElement);
}

/** A list of strings; or one string, split at commas, or read as a JSON list when it is one. Elements are trimmed. */
export function decodeCommaStringList(value: Json): readonly string[] {
  if (typeof value !== "string") return decodeStringList(value);
  const elements = jsonList(value) ?? (value === "" ? [] : value.split(","));
  return decodeList(elements).map(decodeElement);
}

/** As {@link decodeCommaStringList}, each a whole number; empty elements are dropped. */
export function decodeCommaIntList(value: Json): readonly number[] {
  return decodeCommaStringList(value)
    .filter((text) => text !== "")
    .map(decodeInt);
}

function jsonList(text: string): readonly Json[] | undefined {
  if (!text.trimStart().startsWith("[")) return undefined;
  try {
    const parsed = JSON.parse(text) as Json;
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    // Not JSON after all: `[a],b` is an ordinary comma list.
    return undefined;
  }
}

/** A map; a list of maps counts as their union. */
export function decodeMap(value: Json): JsonObject {
  if (isJsonObject(value)) return value;
  if (!Array.isArray(value) || !value.every(isJsonObject)) throw mismatch("a map", value);
  return withoutPrototype(decodeList(value).flatMap((item) => Object.entries(item as JsonObject)));
}

/** Strings by name: a map of strings, a list of `name=value` texts, or one such text. */
export function decodeKvPairs(value: Json): Readonly<Record<string, string>> {
  const isMap = isJsonObject(value) || (Array.isArray(value) && value.every(isJsonObject));
  const pairs = isMap
    ? Object.entries(decodeMap(value)).map(
        ([key, item]) => [key, item === null ? "" : decodeString(item)] as const,
      )
    : decodeList(value).map((item) => splitPair(item === null ? "" : decodeString(item)));
  return withoutPrototype(pairs);
}

function splitPair(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new SyntaxError(`invalid key pair ${quoted(text)}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Makes an object, as the parser of bodies does: no later copy of it can meet a key `__proto__`. @throws RefusedJson */
function withoutPrototype<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  const made = Object.fromEntries(entries);
  refusePrototypeKeys(made);
  return made;
}
