import { parseDurationSeconds } from "../base/duration.ts";
import { messageOf } from "../base/errors.ts";
import { localFailure } from "./failure.ts";
import type { Flag } from "./flags.ts";
import { goQuote } from "./go-text.ts";

/** A flag's value, parsed; lists and maps grow with each repetition. */
export type ParsedValue = string | boolean | number | readonly string[] | Readonly<Record<string, string>>;

/** The seconds that stand for `system`: back to the system's default. */
export const SYSTEM_DEFAULT_SECONDS = -1;

/** What a flag that was not given is worth. */
export function unsetValue(flag: Flag): ParsedValue | undefined {
  switch (flag.kind) {
    case "bool":
      return flag.default ?? false;
    case "list":
      return [];
    case "map":
      return {};
    default:
      return undefined;
  }
}

/**
 * Parses one occurrence of a flag.
 * @param previous - What earlier occurrences gave.
 * @throws CommandFailure (exit 1) with Go's text.
 */
export function parseFlagValue(
  name: string,
  flag: Flag,
  text: string,
  previous: ParsedValue | undefined,
): ParsedValue {
  try {
    return parse(flag, text, previous);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw localFailure(`invalid value ${goQuote(text)} for flag -${name}: ${messageOf(error)}`);
  }
}

function parse(flag: Flag, text: string, previous: ParsedValue | undefined): ParsedValue {
  switch (flag.kind) {
    case "string":
      return text;
    case "bool":
    case "optional-bool":
      return text === "true";
    case "int":
      return parseInteger(text);
    case "duration":
      return text.trim() === "system" ? SYSTEM_DEFAULT_SECONDS : parseDurationSeconds(text);
    case "list":
      return [...(Array.isArray(previous) ? previous : []), text.trim()];
    case "map":
      return { ...(previous as Readonly<Record<string, string>> | undefined), ...parsePair(text) };
  }
}

function parseInteger(text: string): number {
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new SyntaxError(`strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`);
  return value;
}

function parsePair(text: string): Record<string, string> {
  const equals = text.indexOf("=");
  if (equals === -1) throw new SyntaxError(`missing = in KV pair: ${goQuote(text)}`);
  return { [text.slice(0, equals)]: text.slice(equals + 1) };
}
