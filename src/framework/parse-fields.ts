import { badRequest, messageOf } from "../base/errors.ts";
import type { Json, JsonObject } from "../base/json.ts";
import type { FieldSpec, Fields, Given, Values } from "./field.ts";

/** A request's parameters, read by a path's fields. */
export interface ParsedFields<F extends Fields> {
  /** Every declared field: as given, else its default, else its type's zero value. */
  readonly values: Values<F>;
  /** Only what the caller gave, in the URL or the body. */
  readonly given: Given<F>;
  /** Names in the body that no field has, sorted. */
  readonly unknown: readonly string[];
  /** Names in the body whose values the URL's replaced, sorted. */
  readonly overridden: readonly string[];
}

/**
 * Reads a request's parameters. A null counts as absent; a value from the URL wins over the body's.
 * @param raw - The body, or the query parameters.
 * @param captured - The values that the path's pattern took from the URL.
 * @throws ApiError 400 naming the field when a value is not of its type.
 */
export function parseFields<F extends Fields>(
  fields: F,
  raw: JsonObject,
  captured: Readonly<Record<string, string>>,
): ParsedFields<F> {
  const values: Record<string, unknown> = {};
  const given: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(fields)) {
    const value = ownValue(captured, name) ?? ownValue(raw, name);
    if (value === undefined || value === null) {
      values[name] = spec.default ?? spec.zero;
    } else {
      values[name] = given[name] = parseField(name, spec, value);
    }
  }
  const names = Object.keys(raw).sort();
  return {
    // The loop above gave each declared field a value of its own type.
    values: values as Values<F>,
    given: given as Given<F>,
    unknown: names.filter((name) => !Object.hasOwn(fields, name) && !Object.hasOwn(captured, name)),
    overridden: names.filter((name) => raw[name] !== null && Object.hasOwn(captured, name)),
  };
}

/** A body may have a parameter called `constructor`; what objects inherit must not be taken for one. */
function ownValue(source: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(source, name) ? source[name] : undefined;
}

function parseField(name: string, spec: FieldSpec<unknown>, value: Json): unknown {
  try {
    return spec.parse(value);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const reason = spec.sensitive === true ? "the value is not of the field's type" : messageOf(error);
    // No cause where the value is a secret: a log of the cause would show what the message does not.
    throw badRequest(
      `Field validation failed: error converting input for field ${JSON.stringify(name)}: ${reason}`,
      spec.sensitive === true ? undefined : error,
    );
  }
}
