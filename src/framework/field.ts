import type { Json, JsonObject } from "../base/json.ts";
import {
  decodeBool,
  decodeCommaIntList,
  decodeCommaStringList,
  decodeDuration,
  decodeFloat,
  decodeInt,
  decodeKvPairs,
  decodeList,
  decodeLowerCaseString,
  decodeMap,
  decodeSignedDuration,
  decodeString,
  decodeStringList,
  decodeTime,
} from "./weak-decode.ts";

/** The field types of Vault's framework. @see reference: field types and durations. */
export type FieldKind =
  | "string"
  | "lowerCaseString"
  | "int"
  | "float"
  | "bool"
  | "duration"
  | "signedDuration"
  | "time"
  | "list"
  | "stringList"
  | "commaStringList"
  | "commaIntList"
  | "map"
  | "kvPairs";

/** What an engine says about a field. */
export interface FieldOptions<T> {
  readonly description: string;
  readonly default?: T;
  /** Shown as required. As in Vault the handler refuses its absence in its own words: an update may leave it out. */
  readonly required?: boolean;
  /** Shown as the choices. As in Vault the handler refuses others in its own words. */
  readonly allowed?: readonly T[];
  /** Never shown by anything that prints a request; a value of the wrong type is not quoted. */
  readonly sensitive?: boolean;
  readonly deprecated?: boolean;
}

/** A declared field: one declaration gives parsing, validation, help and the OpenAPI document. */
export interface FieldSpec<T> extends FieldOptions<T> {
  readonly kind: FieldKind;
  /** @throws SyntaxError saying what is wrong with the value; the caller names the field. Never called with null. */
  parse(value: Json): T;
  /** The type's zero value. */
  readonly zero: T;
}

// biome-ignore lint/suspicious/noExplicitAny: a table of fields of any type; each keeps its own in the mapped types below.
export type Fields = Readonly<Record<string, FieldSpec<any>>>;
export type FieldValue<S> = S extends FieldSpec<infer T> ? T : never;
export type Values<F extends Fields> = { readonly [K in keyof F]: FieldValue<F[K]> };
export type Given<F extends Fields> = { readonly [K in keyof F]?: FieldValue<F[K]> };

/** Makes the builder of one kind. */
function kindOf<T>(kind: FieldKind, zero: T, parse: (value: Json) => T) {
  return (options: FieldOptions<T>): FieldSpec<T> => ({ ...options, kind, zero, parse });
}

const NO_ELEMENTS: readonly never[] = Object.freeze([]);
const NO_ENTRIES = Object.freeze({});

/**
 * The builders of fields: `field.duration({ description: "…" })`. Durations are whole seconds, times milliseconds since
 * the epoch (0 when absent).
 */
export const field = {
  string: kindOf<string>("string", "", decodeString),
  lowerCaseString: kindOf<string>("lowerCaseString", "", decodeLowerCaseString),
  int: kindOf<number>("int", 0, decodeInt),
  float: kindOf<number>("float", 0, decodeFloat),
  bool: kindOf<boolean>("bool", false, decodeBool),
  duration: kindOf<number>("duration", 0, decodeDuration),
  signedDuration: kindOf<number>("signedDuration", 0, decodeSignedDuration),
  time: kindOf<number>("time", 0, decodeTime),
  /** Elements of any type, such as the items of a batch. */
  list: kindOf<readonly Json[]>("list", NO_ELEMENTS, decodeList),
  stringList: kindOf<readonly string[]>("stringList", NO_ELEMENTS, decodeStringList),
  commaStringList: kindOf<readonly string[]>("commaStringList", NO_ELEMENTS, decodeCommaStringList),
  commaIntList: kindOf<readonly number[]>("commaIntList", NO_ELEMENTS, decodeCommaIntList),
  map: kindOf<JsonObject>("map", NO_ENTRIES, decodeMap),
  kvPairs: kindOf<Readonly<Record<string, string>>>("kvPairs", NO_ENTRIES, decodeKvPairs),
} as const;

export type { JsonObject };
