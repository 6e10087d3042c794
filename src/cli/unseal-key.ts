import type { CommandContext } from "./command-context.ts";
import { localFailure } from "./failure.ts";
import { STDIN_BYTES_MAX } from "./streams.ts";

/**
 * One of the store's keys: as an argument, from standard input (`-`, which keeps it out of the argument list), or from the
 * terminal, where it is not shown.
 * @param withoutTerminal - What to type where there is no terminal.
 * @throws CommandFailure (exit 1) when there is no terminal to ask on.
 */
export async function unsealKey(
  context: CommandContext,
  argument: string | undefined,
  withoutTerminal: string,
): Promise<string> {
  const { world, options } = context;
  if (argument === "-" && !options.nonInteractive)
    return (await world.stdin.readAll(STDIN_BYTES_MAX)).replace(/\r?\n$/, "");
  if (argument !== undefined) return argument === "-" ? "" : argument;
  const typed = options.nonInteractive ? null : await world.promptHidden("Unseal Key (will be hidden): ");
  if (typed === null)
    throw localFailure(
      `There is no terminal to ask for the unseal key on. Give it on standard input instead: ${withoutTerminal}`,
    );
  return typed;
}
