import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import { remoteFailure } from "../failure.ts";
import { dotenvQuote, shellQuote } from "../run/dotenv.ts";
import { fieldOf, WRAP_FIELDS } from "./field.ts";

/** Formats of `NAME=value` lines: for a shell that reads them as its own, and for an environment file. */
export type EnvironmentFormat = "env" | "dotenv";

/**
 * An answer's data as lines: `export PASSWORD='…'` or `PASSWORD='…'`. Names are the fields' in capitals, with `_` for what a
 * variable's name cannot have; the data of a key/value secret with versions is the secret's own. Null values are left out.
 * A wrapped answer has the wrapping token's.
 * @param field - Only this one.
 * @throws CommandFailure for an answer without data (exit 2), or without that field (exit 1): a script that goes on with no
 *   variables at all would not notice.
 */
export function environmentText(body: JsonObject, format: EnvironmentFormat, field?: string): string {
  const data = dataOf(body);
  if (field !== undefined) {
    const value = Object.hasOwn(data, field) ? (data[field] ?? null) : null;
    return lineOf(variableName(field), textOf(value ?? fieldOf(body, field).data), format);
  }
  const pairs = Object.entries(data).filter(([, value]) => value !== null);
  const lines = pairs.map(([name, value]) => lineOf(variableName(name), textOf(value), format));
  return lines.sort().join("");
}

function dataOf({ data, warnings, wrap_info: wrapping }: JsonObject): JsonObject {
  if (isJsonObject(wrapping))
    return Object.fromEntries(
      Object.entries(WRAP_FIELDS).map(([name, from]) => [name, wrapping[from] || null]),
    );
  if (!isJsonObject(data)) {
    const why = Array.isArray(warnings) ? (warnings as readonly Json[]).map(String) : [];
    throw remoteFailure(["The answer has no data to make variables of", ...why].join(". "));
  }
  return isJsonObject(data.data) && isJsonObject(data.metadata) ? data.data : data;
}

/** A field's name as a variable's. */
export function variableName(field: string): string {
  const name = field.toUpperCase().replace(/[^A-Z0-9_]/g, "_");
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function lineOf(name: string, value: string, format: EnvironmentFormat): string {
  return format === "env" ? `export ${name}=${shellQuote(value)}\n` : `${name}=${dotenvQuote(value)}\n`;
}
