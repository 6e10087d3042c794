import { checkCount } from "./argument-count.ts";
import { normaliseArguments } from "./argv.ts";
import { type AnyCommand, allFlags } from "./command.ts";
import { type ParsedValue, parseFlagValue, unsetValue } from "./flag-values.ts";

/** A command line, parsed: flags by name, and the arguments. */
export interface ParsedLine {
  readonly values: Readonly<Record<string, ParsedValue | undefined>>;
  readonly args: readonly string[];
}

/**
 * Parses the arguments of the chosen command by its declared flags. Help never gets here.
 * @throws CommandFailure (exit 1) for bad flags and for a wrong number of arguments.
 */
export function parseLine(command: AnyCommand, rest: readonly string[]): ParsedLine {
  if (command.ignoresArguments === true) return { values: {}, args: [] };
  const flags = allFlags(command);
  const line = normaliseArguments(rest, flags);
  const given = new Map<string, ParsedValue>();
  for (const [name, text] of line.flags) {
    const flag = flags[name];
    if (flag !== undefined) given.set(name, parseFlagValue(name, flag, text, given.get(name)));
  }
  const values = Object.entries(flags).map(
    ([name, flag]) => [name, given.get(name) ?? unsetValue(flag)] as const,
  );
  if (command.args !== undefined) checkCount(command.args, line.positionals.length);
  return { values: Object.fromEntries(values), args: line.positionals };
}
