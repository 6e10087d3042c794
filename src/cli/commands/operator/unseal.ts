import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { localFailure } from "../../failure.ts";
import { answer } from "../../outcome.ts";
import { sealStatusOutcome } from "../../output/seal-status.ts";
import { unsealKey } from "../../unseal-key.ts";

const WITHOUT_ARGUMENT = "vsec operator unseal -";

export const command = defineCommand({
  usage: "[options] [KEY]",
  description: `
Unseals the store. Where its key is split into shares, KEY is one of them: each holder gives theirs to the daemon, until there are enough. Where the seal is a passphrase, the key is the passphrase. Without KEY it is asked for on the terminal; "-" reads it from standard input, which keeps it out of the argument list.

    $ vsec operator unseal - < passphrase.txt`,
  flags: {
    reset: { kind: "bool", text: "Forget the keys that were given so far." },
    migrate: {
      kind: "bool",
      text: "Refused: the seal of a store is changed by rekeying it while it is unsealed.",
    },
  },
  args: { min: 0, max: 1 },
  output: { format: true },
  requests: true,
  async run(context, flags, args) {
    if (flags.migrate)
      throw localFailure(
        "-migrate cannot be used: unseal the store as it is, then run: vsec operator rekey -init",
      );
    const isReset = flags.reset;
    const body = isReset ? { reset: true } : { key: await unsealKey(context, args[0], WITHOUT_ARGUMENT) };
    const response = await context.send(
      { method: "PUT", path: "sys/unseal", body },
      { prefix: isReset ? "Error resetting unseal process" : "Error unsealing", token: null },
    );
    return answer(sealStatusOutcome(dataOf(response)));
  },
});
