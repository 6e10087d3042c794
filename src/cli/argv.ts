import { didYouMean } from "./dispatch.ts";
import { type CommandFailure, localFailure } from "./failure.ts";
import { type Flag, type Flags, findFlag, isBoolean } from "./flags.ts";
import { goQuote, parseBool } from "./go-text.ts";

/** Arguments after the grammar was applied: every flag with its value attached, and the positionals. */
export interface NormalisedArguments {
  /** Each flag's main name and its value; booleans always carry `true` or `false`. In the order given. */
  readonly flags: readonly (readonly [name: string, value: string])[];
  readonly positionals: readonly string[];
}

const HELP_WORDS = new Set(["-h", "-help", "--help", "--h"]);

/** True when help is asked for anywhere before `--`. */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end === -1 ? args : args.slice(0, end)).some((arg) => HELP_WORDS.has(arg));
}

/**
 * Applies the flag grammar of Go's `flag` package, as Vault's users know it: one dash or two, `-name=value` or
 * `-name value`, booleans only with an attached value, `--` ends the flags, a lone `-` is an argument. Unlike Vault, flags
 * are also taken after positional arguments, since people write them there.
 * @throws CommandFailure (exit 1) with Go's texts for anything malformed.
 */
export function normaliseArguments(args: readonly string[], declared: Flags): NormalisedArguments {
  const flags: [string, string][] = [];
  const positionals: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (arg === "--") {
      positionals.push(...args.slice(index + 1));
      break;
    }
    if (arg.length < 2 || !arg.startsWith("-")) {
      positionals.push(arg);
      continue;
    }
    const given = splitFlag(arg);
    const found = findFlag(declared, given.name);
    if (found === undefined) throw undefinedFlag(given.name, declared);
    const [name, flag] = found;
    if (isBoolean(flag)) {
      const value = booleanValue(given, flag);
      flags.push([name, String(value.on)]);
      if (value.argument !== undefined) positionals.push(value.argument);
      continue;
    }
    const value = given.value ?? args[++index];
    if (value === undefined) throw localFailure(`flag needs an argument: -${given.name}`);
    flags.push([name, value]);
  }
  return { flags, positionals };
}

/** Go's text, and what may have been meant. */
function undefinedFlag(name: string, declared: Flags): CommandFailure {
  const hint = didYouMean(
    `-${name}`,
    Object.keys(declared).map((flag) => `-${flag}`),
  );
  return localFailure(`flag provided but not defined: -${name}${hint === "" ? "" : `\n\n${hint}`}`);
}

interface GivenFlag {
  readonly name: string;
  readonly value?: string;
}

function splitFlag(arg: string): GivenFlag {
  const body = arg.replace(/^--?/, "");
  if (body === "" || body.startsWith("-") || body.startsWith("="))
    throw localFailure(`bad flag syntax: ${arg}`);
  const equals = body.indexOf("=");
  return equals === -1 ? { name: body } : { name: body.slice(0, equals), value: body.slice(equals + 1) };
}

function booleanValue(given: GivenFlag, flag: Flag): { on: boolean; argument?: string } {
  if (given.value === undefined) return { on: true };
  const parsed = parseBool(given.value);
  if (parsed !== undefined) return { on: parsed };
  if (flag.kind === "bool" && flag.attachedArgument === true) return { on: true, argument: given.value };
  const quoted = goQuote(given.value);
  throw localFailure(
    `invalid boolean value ${quoted} for -${given.name}: strconv.ParseBool: parsing ${quoted}: invalid syntax`,
  );
}
