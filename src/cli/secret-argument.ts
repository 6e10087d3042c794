import type { CommandContext } from "./command-context.ts";
import { STDIN_BYTES_MAX } from "./streams.ts";

/** A token or accessor given as an argument. `-` stands for standard input, which keeps it out of the argument list. */
export async function secretArgument(context: CommandContext, text: string): Promise<string> {
  if (text !== "-") return text.trim();
  if (context.options.nonInteractive) return "";
  return (await context.world.stdin.readAll(STDIN_BYTES_MAX)).trim();
}
