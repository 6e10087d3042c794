import { createHash } from "node:crypto";
import { type Random, randomString, randomUuid } from "../base/random.ts";
import { formatGo, goTypeOf, type TemplateValue } from "./go-format.ts";
import { formatGoTime } from "./go-layout.ts";

/** What a template needs besides its data. */
export interface TemplateContext {
  readonly random: Random;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** The longest text that a function gives: names of accounts are far shorter, and chained calls could double without end. */
export const TEXT_CHARS_MAX = 8192;

type ParamType = "string" | "int" | "any";

/** A function that templates can call. */
interface TemplateFunction {
  readonly params: readonly ParamType[];
  /** The type of any number of further arguments. */
  readonly rest?: ParamType;
  readonly call: (args: readonly TemplateValue[], context: TemplateContext) => TemplateValue;
}

/** The types were checked against `params` before; these only tell the compiler. */
const text = (value: TemplateValue | undefined): string => String(value);
const int = (value: TemplateValue | undefined): number => Number(value);

const ofText = (change: (text: string) => string): TemplateFunction => ({
  params: ["string"],
  call: ([value]) => change(text(value)),
});

const sha256Hex = (value: string): string => createHash("sha256").update(value, "utf8").digest("hex");

/** The longest head of at most `bytesMax` bytes that cuts no character in two. */
function headOf(value: string, bytesMax: number): string {
  const bytes = Buffer.from(value, "utf8");
  if (bytes.length <= bytesMax) return value;
  let end = bytesMax;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end).toString("utf8");
}

function truncate(bytesMax: number, value: string): string {
  if (bytesMax <= 0) throw new SyntaxError(`max length must be > 0 but was ${bytesMax}`);
  return headOf(value, bytesMax);
}

const HASH_CHARS = 8;

function truncateSha256(bytesMax: number, value: string): string {
  if (bytesMax <= HASH_CHARS) throw new SyntaxError(`max length must be > ${HASH_CHARS} but was ${bytesMax}`);
  if (Buffer.byteLength(value) <= bytesMax) return value;
  const head = headOf(value, bytesMax - HASH_CHARS);
  return head + sha256Hex(value.slice(head.length)).slice(0, HASH_CHARS);
}

function randomText(length: number, random: Random): string {
  if (length < 1) throw new SyntaxError(`length must be > 0 but was ${length}`);
  if (length > TEXT_CHARS_MAX) throw new SyntaxError(`length must be <= ${TEXT_CHARS_MAX} but was ${length}`);
  return randomString(random, length);
}

function replaceAll(old: string, by: string, value: string): string {
  // An empty text stands at both ends and between any two characters.
  const parts = old === "" ? ["", ...value, ""] : value.split(old);
  if (value.length + (parts.length - 1) * by.length > TEXT_CHARS_MAX) throw tooLong();
  return parts.join(by);
}

function decodeUtf8(bytes: Buffer): string {
  const decoded = bytes.toString("utf8");
  if (!Buffer.from(decoded, "utf8").equals(bytes)) throw new SyntaxError("the decoded bytes are not text");
  return decoded;
}

function decodeBase64(value: string): string {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)) {
    throw new SyntaxError("illegal base64 data");
  }
  return decodeUtf8(Buffer.from(value, "base64"));
}

function decodeHex(value: string): string {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(value)) throw new SyntaxError("illegal hex data");
  return decodeUtf8(Buffer.from(value, "hex"));
}

/** Empty texts, zero and false do not count as true. */
export function isTruthy(value: TemplateValue): boolean {
  return Boolean(value);
}

/** Go's `eq`: true when the first equals any of the others. */
function equalsAny([first, ...others]: readonly TemplateValue[]): boolean {
  if (first === undefined || others.length === 0) throw new SyntaxError("missing argument for comparison");
  for (const other of others) {
    if (typeof other !== typeof first) throw new SyntaxError("incompatible types for comparison");
  }
  return others.includes(first);
}

/** Values in a row, a space between two that are no texts, as Go's `Sprint` has it. */
function print(args: readonly TemplateValue[]): string {
  return args.reduce<string>((printed, value, index) => {
    const spaced = index > 0 && typeof value !== "string" && typeof args[index - 1] !== "string";
    return `${printed}${spaced ? " " : ""}${value}`;
  }, "");
}

/** The functions, by name. `and` and `or` are not among them: they leave arguments alone that do not matter. */
const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ["random", { params: ["int"], call: ([length], { random }) => randomText(int(length), random) }],
  ["truncate", { params: ["int", "string"], call: ([max, value]) => truncate(int(max), text(value)) }],
  [
    "truncate_sha256",
    { params: ["int", "string"], call: ([max, value]) => truncateSha256(int(max), text(value)) },
  ],
  ["uppercase", ofText((value) => value.toUpperCase())],
  ["lowercase", ofText((value) => value.toLowerCase())],
  [
    "replace",
    {
      params: ["string", "string", "string"],
      call: ([old, by, value]) => replaceAll(text(old), text(by), text(value)),
    },
  ],
  ["sha256", ofText(sha256Hex)],
  ["base64", ofText((value) => Buffer.from(value, "utf8").toString("base64"))],
  ["decode_base64", ofText(decodeBase64)],
  ["hex", ofText((value) => Buffer.from(value, "utf8").toString("hex"))],
  ["decode_hex", ofText(decodeHex)],
  ["unix_time", { params: [], call: (_args, { nowMs }) => String(Math.floor(nowMs / 1000)) }],
  ["unix_time_millis", { params: [], call: (_args, { nowMs }) => String(Math.floor(nowMs)) }],
  ["timestamp", { params: ["string"], call: ([layout], { nowMs }) => formatGoTime(text(layout), nowMs) }],
  ["uuid", { params: [], call: (_args, { random }) => randomUuid(random) }],
  ["printf", { params: ["string"], rest: "any", call: ([format, ...args]) => formatGo(text(format), args) }],
  ["print", { params: [], rest: "any", call: print }],
  ["eq", { params: ["any"], rest: "any", call: equalsAny }],
  ["ne", { params: ["any", "any"], call: (args) => !equalsAny(args) }],
  ["not", { params: ["any"], call: ([value]) => !value }],
  ["len", { params: ["string"], call: ([value]) => Buffer.byteLength(text(value)) }],
]);

/** Functions that evaluate their arguments themselves. */
export const LAZY_FUNCTIONS: ReadonlySet<string> = new Set(["and", "or"]);

export function isFunction(name: string): boolean {
  return FUNCTIONS.has(name) || LAZY_FUNCTIONS.has(name);
}

/**
 * Calls a function of the table.
 * @throws SyntaxError saying which arguments it does not take, or in the function's own words.
 */
export function callFunction(
  name: string,
  args: readonly TemplateValue[],
  context: TemplateContext,
): TemplateValue {
  const called = FUNCTIONS.get(name);
  if (called === undefined) throw new SyntaxError(`function "${name}" not defined`);
  checkArguments(name, called, args);
  let result: TemplateValue;
  try {
    result = called.call(args, context);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`error calling ${name}: ${error.message}`, { cause: error });
  }
  if (typeof result === "string" && result.length > TEXT_CHARS_MAX) throw tooLong();
  return result;
}

/** What all that makes texts throws when one gets too long. */
export function tooLong(): SyntaxError {
  return new SyntaxError(`the text is longer than ${TEXT_CHARS_MAX} characters`);
}

function checkArguments(name: string, called: TemplateFunction, args: readonly TemplateValue[]): void {
  const { params, rest } = called;
  if (args.length < params.length || (rest === undefined && args.length > params.length)) {
    const want = `${rest === undefined ? "" : "at least "}${params.length}`;
    throw new SyntaxError(`wrong number of args for ${name}: want ${want} got ${args.length}`);
  }
  for (const [index, arg] of args.entries()) {
    const wanted = params[index] ?? rest ?? "any";
    if (wanted !== "any" && goTypeOf(arg) !== wanted) {
      throw new SyntaxError(`wrong type for value; expected ${wanted}; got ${goTypeOf(arg)}`);
    }
  }
}
