import { ApiError, hasCode, messageOf, VsecError } from "../base/errors.ts";
import { type Env, readVariable } from "../contract/environment.ts";
import { EXIT } from "../contract/exit-codes.ts";
import { asksForHelp } from "./argv.ts";
import type { Catalogue, CommandEntry, GroupEntry } from "./command.ts";
import { CommandContext } from "./command-context.ts";
import { CATALOGUE } from "./commands/index.ts";
import type { CliWorld } from "./context.ts";
import { commandsOf, didYouMean, dispatch, topLevel } from "./dispatch.ts";
import { CommandFailure, localFailure, PrintedInstead } from "./failure.ts";
import { type Format, globalOptions } from "./global-options.ts";
import { commandHelp, groupHelp, rootHelp } from "./help.ts";
import type { Outcome } from "./outcome.ts";
import { coloured, isPlainTerminal, mayColour } from "./output/colour.ts";
import { printable } from "./output/printable.ts";
import { render, type View, warningsText } from "./output/render.ts";
import { parseLine } from "./parse-line.ts";

/**
 * Carries out one invocation: the only place where a failure becomes text and an exit code.
 * @param args - Without the program's name.
 * @returns The exit code, as the table in the contract has it.
 */
export async function run(args: readonly string[], world: CliWorld): Promise<number> {
  const state: RunState = { world, format: "table" };
  try {
    const exitCode = await dispatchAndRun(args, state);
    if (state.signal !== undefined) world.dieBy(state.signal);
    return exitCode;
  } catch (error) {
    return report(error, state);
  }
}

interface RunState {
  readonly world: CliWorld;
  /** Known once the flags are parsed; until then errors are shown as in a table. */
  format: Format;
  /** The signal to end by, once the command is done with everything. */
  signal?: NodeJS.Signals | undefined;
}

const ROOT_HELP_WORDS = ["-h", "-help", "--help"];

async function dispatchAndRun(args: readonly string[], state: RunState): Promise<number> {
  const { stdout, stderr } = state.world;
  const words = args[0] === "help" ? [...args.slice(1), "-help"] : args;
  const [first] = words;
  if (first !== undefined && ROOT_HELP_WORDS.includes(first) && words.length === 1) {
    await stdout.write(rootHelp(CATALOGUE));
    return EXIT.ok.code;
  }
  if (first?.startsWith("-") === true) return flagsBeforeCommand(words, state);
  const found = dispatch(CATALOGUE, words);
  switch (found.kind) {
    case "command":
      return runCommand(found.entry, found.rest, state);
    case "group":
      return runGroup(found.group, found.rest, state);
    case "unknown": {
      const known = topLevel(CATALOGUE).map((entry) => entry.words);
      const hint = didYouMean(found.word, known);
      await stderr.write(`${hint === "" ? "" : `${hint}\n\n`}${rootHelp(CATALOGUE)}`);
      return EXIT.unknownCommand.code;
    }
  }
}

async function flagsBeforeCommand(args: readonly string[], { world }: RunState): Promise<number> {
  const start = args.findIndex((_, index) => dispatch(CATALOGUE, args.slice(index)).kind !== "unknown");
  if (start === -1) {
    await world.stderr.write(rootHelp(CATALOGUE));
    return EXIT.unknownCommand.code;
  }
  const found = dispatch(CATALOGUE, args.slice(start));
  const help =
    found.kind === "command"
      ? commandHelp(found.entry, (await found.entry.load()).command)
      : found.kind === "group"
        ? groupHelp(CATALOGUE, found.group)
        : "";
  await world.stderr.write(
    `Invalid flags before the subcommand. Flags belong after the name of the command.\n\n${help}`,
  );
  return EXIT.local.code;
}

async function runGroup(group: GroupEntry, rest: readonly string[], { world }: RunState): Promise<number> {
  const help = groupHelp(CATALOGUE, group);
  if (asksForHelp(rest)) {
    await world.stdout.write(help);
    return EXIT.ok.code;
  }
  const [word = ""] = rest;
  const known = commandsOf(CATALOGUE, group).map((entry) => entry.words.slice(group.words.length + 1));
  const hint = word === "" ? "" : didYouMean(word, known);
  await world.stderr.write(`${hint === "" ? "" : `${hint}\n\n`}${help}`);
  return EXIT.local.code;
}

async function runCommand(entry: CommandEntry, rest: readonly string[], state: RunState): Promise<number> {
  const { world } = state;
  const { command } = await entry.load();
  if (asksForHelp(rest)) {
    await world.stdout.write(commandHelp(entry, command));
    return EXIT.ok.code;
  }
  const line = parseLine(command, rest);
  const options = globalOptions(command, line.values, world.env);
  state.format = options.format;
  const view: View = {
    format: options.format,
    newlineAfterField: world.stdout.isTTY && !isPlainTerminal(world.env),
    ...(options.field === undefined ? {} : { field: options.field }),
  };
  const context = new CommandContext(world, options, CATALOGUE satisfies Catalogue);
  try {
    const result = await command.run(context, line.values as never, line.args);
    if (options.instead !== undefined) throw nothingToPrint(options.instead);
    for (const outcome of result.outcomes) await show(outcome, view, world);
    state.signal = result.signal;
    return world.stdout.isBroken ? EXIT.ok.code : (result.exitCode ?? EXIT.ok.code);
  } catch (error) {
    if (error instanceof CommandFailure) await hint(error, entry, line.args, context);
    if (error instanceof CommandFailure && error.outcome !== undefined) {
      await complain(error.message, state);
      await show(error.outcome, view, world);
      return error.exitCode;
    }
    throw error;
  } finally {
    await closeQuietly(context, state);
  }
}

/** A person who mistyped a path is told the right one, before the error; a program is not: it would have to ask the store again. */
async function hint(
  { exitCode }: CommandFailure,
  { words }: CommandEntry,
  [typed = ""]: readonly string[],
  context: CommandContext,
): Promise<void> {
  if (exitCode !== EXIT.remote.code || !context.world.stderr.isTTY) return;
  const { meant } = await import("./completion/meant.ts");
  const text = await meant(context, words, typed);
  if (text !== "") await context.note(text);
}

function nothingToPrint(instead: "curl" | "policy"): CommandFailure {
  return localFailure(instead === "curl" ? "Could not generate cURL command" : "Could not generate policy");
}

/** The answer stands by now; a failure to end the client is told, and changes nothing. */
async function closeQuietly(context: CommandContext, { world }: RunState): Promise<void> {
  try {
    await context.close();
  } catch (error) {
    const text = error instanceof VsecError ? error.message : unexpectedText(error, world.env);
    await world.stderr.write(`${text}\n`);
  }
}

async function show(outcome: Outcome, view: View, world: CliWorld): Promise<void> {
  if (outcome.show === "bytes") return world.stdout.write(outcome.bytes);
  const isForEyes = world.stdout.isTTY && view.format === "table" && view.field === undefined;
  const { stdout, warnings } = await render(isForEyes ? printable(outcome) : outcome, view);
  const text = warningsText(warnings);
  if (text !== "") {
    const colour = mayColour(world.env, world.stdout.isTTY && world.stderr.isTTY, view.format);
    await world.stderr.write(colour ? await coloured("warning", text) : text);
  }
  await world.stdout.write(stdout);
}

async function complain(text: string, { world, format }: RunState): Promise<void> {
  const colour = mayColour(world.env, world.stdout.isTTY && world.stderr.isTTY, format);
  await world.stderr.write(`${colour ? await coloured("error", text) : text}\n`);
}

async function report(error: unknown, state: RunState): Promise<number> {
  if (error instanceof PrintedInstead) {
    await state.world.stdout.write(`${error.text}\n`);
    return EXIT.ok.code;
  }
  if (state.world.stdout.isBroken && !(error instanceof CommandFailure)) return EXIT.ok.code;
  await complain(textOf(error, state.world.env), state);
  return exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommandFailure) return error.exitCode;
  if (hasCode(error, "USAGE")) return EXIT.local.code;
  return error instanceof VsecError || error instanceof ApiError ? EXIT.remote.code : EXIT.local.code;
}

function textOf(error: unknown, env: Env): string {
  const isExpected =
    error instanceof CommandFailure || error instanceof VsecError || error instanceof ApiError;
  const text = isExpected ? messageOf(error) : unexpectedText(error, env);
  return isExpected && readVariable(env, "VSEC_DEBUG") === "1" ? `${text}\n${stackOf(error)}` : text;
}

/** Says that it is our fault, without the failure's own text, which could hold anything. */
function unexpectedText(error: unknown, env: Env): string {
  const name = error instanceof Error ? error.name : typeof error;
  if (readVariable(env, "VSEC_DEBUG") === "1") return `unexpected failure in vsec:\n${stackOf(error)}`;
  return `vsec failed unexpectedly (${name}); this is a defect: please report it with what VSEC_DEBUG=1 shows`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
