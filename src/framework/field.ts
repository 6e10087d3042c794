import type { Json, JsonObject } from "../base/json.ts";

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
  | "stringList"
  | "commaStringList"
  | "map"
  | "kvPairs";

/** A declared field: one declaration gives parsing, validation, help and the OpenAPI document. */
export interface FieldSpec<T> {
  readonly kind: FieldKind;
  readonly description: string;
  readonly default?: T;
  /** Refused when absent: `missing required field "x"`-like errors stay with the handler where Vault words them itself. */
  readonly required?: boolean;
  readonly allowed?: readonly T[];
  /** Never shown by anything that prints a request. */
  readonly sensitive?: boolean;
  readonly deprecated?: boolean;
  /** @throws SyntaxError saying what is wrong with the value; the caller names the field. */
  parse(value: Json): T;
  /** The type's zero value. */
  readonly zero: T;
}

// biome-ignore lint/suspicious/noExplicitAny: a table of fields of any type; each keeps its own in the mapped types below.
export type Fields = Readonly<Record<string, FieldSpec<any>>>;
export type FieldValue<S> = S extends FieldSpec<infer T> ? T : never;
export type Values<F extends Fields> = { readonly [K in keyof F]: FieldValue<F[K]> };
export type Given<F extends Fields> = { readonly [K in keyof F]?: FieldValue<F[K]> };

export type { JsonObject };
