import { messageOf } from "../base/errors.ts";
import {
  ExactNumber,
  isJsonObject,
  type Json,
  type JsonObject,
  parseInput,
  RefusedJson,
} from "../base/json.ts";
import type { CliWorld } from "./context.ts";
import { localFailure } from "./failure.ts";
import { goQuote } from "./go-text.ts";
import { STDIN_BYTES_MAX } from "./streams.ts";

/** What reading the arguments may need from outside. */
export type DataSources = Pick<CliWorld, "stdin" | "readFile"> & { readonly interactive: boolean };

/** What stands before a complaint: data for most, parameters of `delete`, and the settings of a login. */
type Complaint =
  | "Failed to parse K=V data"
  | "Failed to parse string list data"
  | "Error parsing configuration";

/**
 * Parses data arguments: `key=value`, `key=@file`, `key=-`, `key=\@text`, and a bare `@file` or `-` holding a JSON object.
 * Values are strings (lists of them when a key is repeated); only JSON objects bring other types.
 * @throws CommandFailure (exit 1): `Failed to parse K=V data: invalid key/value pair "…": …`
 */
export async function parseDataArguments(
  args: readonly string[],
  sources: DataSources,
  complaint: Complaint = "Failed to parse K=V data",
): Promise<JsonObject> {
  const data = new Map<string, Json>();
  const stdin = { used: false };
  for (const arg of args) {
    if (arg === "") continue;
    try {
      for (const [key, value, merge] of await parseArgument(arg, sources, stdin)) {
        data.set(key, merge ? appended(data.get(key), value) : value);
      }
    } catch (error) {
      const why = `invalid key/value pair ${goQuote(arg)}: ${messageOf(error)}`;
      throw localFailure(`${complaint}: ${why}`, error);
    }
  }
  return Object.fromEntries(data);
}

/**
 * Parses data arguments where every value has to be a string; numbers and booleans of JSON objects become one.
 * @throws CommandFailure (exit 1), also for a key that was repeated or holds a list, an object or null.
 */
export async function parseStringArguments(
  args: readonly string[],
  sources: DataSources,
  complaint: Complaint,
): Promise<Readonly<Record<string, string>>> {
  const data = await parseDataArguments(args, sources, complaint);
  const texts = Object.entries(data).map(([key, value]) => {
    if (typeof value === "object" && !(value instanceof ExactNumber))
      throw localFailure(
        `${complaint}: failed to convert values to strings: ${goQuote(key)} has to be one string`,
      );
    return [key, String(value)] as const;
  });
  return Object.fromEntries(texts);
}

type Entry = readonly [key: string, value: Json, merge: boolean];

async function parseArgument(
  arg: string,
  sources: DataSources,
  stdin: { used: boolean },
): Promise<readonly Entry[]> {
  if (arg === "-") return objectEntries(await takeStdin(sources, stdin));
  const equals = arg.indexOf("=");
  if (equals === -1) {
    if (!arg.startsWith("@")) throw new SyntaxError("format must be key=value");
    return objectEntries(await sources.readFile(arg.slice(1)));
  }
  const key = arg.slice(0, equals);
  const text = arg.slice(equals + 1);
  if (text === "-") return [[key, await takeStdin(sources, stdin), true]];
  if (text.startsWith("\\@")) return [[key, text.slice(1), true]];
  if (!text.startsWith("@")) return [[key, text, true]];
  try {
    return [[key, await sources.readFile(text.slice(1)), true]];
  } catch (error) {
    throw new SyntaxError(`error reading file: ${messageOf(error)}`, { cause: error });
  }
}

async function takeStdin(sources: DataSources, stdin: { used: boolean }): Promise<string> {
  if (stdin.used) throw new SyntaxError("stdin already consumed");
  stdin.used = true;
  return sources.interactive ? sources.stdin.readAll(STDIN_BYTES_MAX) : "";
}

function objectEntries(text: string): readonly Entry[] {
  if (text.trim() === "") throw new SyntaxError("EOF");
  const parsed = parseDocument(text);
  if (!isJsonObject(parsed)) throw new SyntaxError("json: the document is not an object");
  return Object.entries(parsed).map(([key, value]) => [key, value, false]);
}

/** The parser's own message may quote the document, which may be a secret that was meant as a value. */
function parseDocument(text: string): Json {
  try {
    return parseInput(text);
  } catch (error) {
    throw new SyntaxError(
      `json: ${error instanceof RefusedJson ? error.message : "the document cannot be parsed"}`,
    );
  }
}

function appended(existing: Json | undefined, value: Json): Json {
  if (existing === undefined) return value;
  return Array.isArray(existing) ? [...existing, value] : [existing, value];
}
