import { Command as CommanderCommand, Option } from "commander";
import { checkCount } from "./argument-count.ts";
import { normaliseArguments } from "./argv.ts";
import { type AnyCommand, allFlags, type Catalogue } from "./command.ts";
import { localFailure } from "./failure.ts";
import { type ParsedValue, parseFlagValue, unsetValue } from "./flag-values.ts";
import type { Flag } from "./flags.ts";

/** A command line, parsed: flags by name, and the arguments. */
export interface ParsedLine {
  readonly values: Readonly<Record<string, ParsedValue | undefined>>;
  readonly args: readonly string[];
}

/**
 * Builds the tree of commands and lets the chosen one parse its arguments, which are first brought into the form that
 * commander knows. Help never gets here.
 * @throws CommandFailure (exit 1) for bad flags and for a wrong number of arguments.
 */
export function parseLine(
  catalogue: Catalogue,
  words: string,
  command: AnyCommand,
  rest: readonly string[],
): ParsedLine {
  if (command.ignoresArguments === true) return { values: {}, args: [] };
  const flags = allFlags(command);
  const line = normaliseArguments(rest, flags);
  const { program, chosen } = buildTree(catalogue, words);
  const options = Object.entries(flags).map(([name, flag]) => ({
    name,
    flag,
    option: optionFor(name, flag),
  }));
  for (const { option } of options) chosen.addOption(option);
  chosen.argument("[args...]").action(() => undefined);
  program.parse([...words.split(" "), ...line.flags, "--", ...line.positionals], { from: "user" });
  const parsed: Record<string, unknown> = chosen.opts();
  const values = options.map(({ name, flag, option }) => {
    const value = parsed[option.attributeName()] as ParsedValue | undefined;
    return [name, value ?? unsetValue(flag)] as const;
  });
  if (command.args !== undefined) checkCount(command.args, chosen.args.length);
  return { values: Object.fromEntries(values), args: [...chosen.args] };
}

function buildTree(
  catalogue: Catalogue,
  words: string,
): { program: CommanderCommand; chosen: CommanderCommand } {
  const program = new CommanderCommand("vsec").helpOption(false).exitOverride();
  const nodes = new Map<string, CommanderCommand>([["", program]]);
  // Only what leads to the chosen command: building all of them takes longer than parsing.
  const path = [...catalogue.groups, ...catalogue.commands].filter((entry) =>
    `${words} `.startsWith(`${entry.words} `),
  );
  for (const entry of path) {
    const parts = entry.words.split(" ");
    const name = parts.pop() ?? "";
    const parent = nodes.get(parts.join(" ")) ?? program;
    // A command made by its parent inherits the overrides; one that is added does not.
    const node = parent.command(name).helpOption(false).helpCommand(false).description(entry.synopsis);
    nodes.set(entry.words, node);
  }
  const chosen = nodes.get(words);
  if (chosen === undefined) throw localFailure(`there is no command "${words}"`);
  return { program, chosen };
}

/** Every option takes a value, booleans too: the grammar before this has attached one to each. */
function optionFor(name: string, flag: Flag): Option {
  const option = new Option(`--${name} <value>`, flag.text);
  // A name like `no-store` is a name of its own here, not the opposite of `store`.
  option.negate = false;
  return option.argParser((text: string, previous: unknown) =>
    parseFlagValue(name, flag, text, previous as ParsedValue | undefined),
  );
}
