import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { localFailure } from "../../failure.ts";
import { answer } from "../../outcome.ts";
import { sealStatusOutcome } from "../../output/seal-status.ts";
import { STDIN_BYTES_MAX } from "../../streams.ts";

const NO_TERMINAL =
  "There is no terminal to ask for the unseal key on. Give it on standard input instead: vsec operator unseal -";

async function keyFrom(context: CommandContext, argument: string | undefined): Promise<string> {
  const { world, options } = context;
  if (argument === "-" && !options.nonInteractive)
    return (await world.stdin.readAll(STDIN_BYTES_MAX)).replace(/\r?\n$/, "");
  if (argument !== undefined) return argument === "-" ? "" : argument;
  const typed = options.nonInteractive ? null : await world.promptHidden("Unseal Key (will be hidden): ");
  if (typed === null) throw localFailure(NO_TERMINAL);
  return typed;
}

export const command = defineCommand({
  usage: "[options] [KEY]",
  description: `
Unseals the store. Where the seal is a passphrase, the key is the passphrase. Without KEY it is asked for on the terminal; "-" reads it from standard input, which keeps it out of the argument list.

    $ vsec operator unseal - < passphrase.txt`,
  flags: {
    reset: { kind: "bool", text: "Forget the keys that were given so far." },
  },
  args: { min: 0, max: 1 },
  output: { format: true },
  requests: true,
  async run(context, flags, args) {
    const isReset = flags.reset;
    const body = isReset ? { reset: true } : { key: await keyFrom(context, args[0]) };
    const response = await context.send(
      { method: "PUT", path: "sys/unseal", body },
      { prefix: isReset ? "Error resetting unseal process" : "Error unsealing", token: null },
    );
    return answer(sealStatusOutcome(dataOf(response)));
  },
});
