/** What the connection details of an exec connection mean. See docs/exec-plugin.md. */

import path from "node:path";
import { badRequest } from "../../../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject, parseInput } from "../../../../base/json.ts";
import { textDetail } from "../../connection-url.ts";
import { durationDetail, numberDetail } from "../../details.ts";

export interface ExecSettings {
  /** An absolute path without `..`. */
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly processesMax: number;
  /** What the program is told of the connection: every detail that is not one of the above. */
  readonly connection: JsonObject;
}

/** A creation must have ended before its lease may be revoked. */
const TIMEOUT_MS_MAX = 40_000;
const TIMEOUT_MS_DEFAULT = 30_000;
const OWN = ["program", "arguments", "environment", "timeout", "max_processes", "username_template"];
const ARGUMENTS_MAX = 64;

/** Reads connection details. @throws ApiError 400 naming the parameter that is wrong. */
export function execSettings(details: JsonObject): ExecSettings {
  return {
    program: programOf(details),
    arguments: listDetail(details, "arguments"),
    environment: environmentOf(listDetail(details, "environment")),
    timeoutMs: durationDetail(details, "timeout", { max: TIMEOUT_MS_MAX, fallback: TIMEOUT_MS_DEFAULT }),
    processesMax: numberDetail(details, "max_processes", { min: 1, max: 64, fallback: 4 }),
    connection: Object.fromEntries(Object.entries(details).filter(([name]) => !OWN.includes(name))),
  };
}

function programOf(details: JsonObject): string {
  const program = textDetail(details, "program");
  if (program === "") throw badRequest("program cannot be empty");
  if (!path.isAbsolute(program) || path.normalize(program) !== program || program.includes("\0")) {
    throw badRequest("program must be an absolute path without . or ..");
  }
  return program;
}

/** A list of texts: a JSON list, as such or as text; any other text is a list of one. */
function listDetail(details: JsonObject, name: string): readonly string[] {
  const list = asList(details[name]);
  if (list.length > ARGUMENTS_MAX) throw badRequest(`${name} has more than ${ARGUMENTS_MAX} entries`);
  for (const item of list) {
    if (typeof item !== "string" || item.includes("\0"))
      throw badRequest(`${name} must be a list of strings`);
  }
  return list as string[];
}

function asList(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null || value === "") return [];
  if (isJsonObject(value)) return Object.entries(value).map(([key, text]) => `${key}=${String(text)}`);
  if (typeof value !== "string") return Array.isArray(value) ? (value as readonly Json[]) : [value];
  if (!value.trimStart().startsWith("[")) return [value];
  try {
    return parseInput(value) as readonly Json[];
  } catch {
    return [value];
  }
}

function environmentOf(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, key, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(pair) ?? [];
      if (key === undefined || value === undefined)
        throw badRequest("environment must be a list of NAME=value");
      return [key, value];
    }),
  );
}
