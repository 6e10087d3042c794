import { defineCommand } from "../../command.ts";
import { candidatesFor } from "../../completion/candidates.ts";
import { answer, type Outcome } from "../../outcome.ts";

export const command = defineCommand({
  usage: "[options] COMMAND TYPED",
  description: `
Prints what the word that is being typed may become, one candidate a line. Completion scripts ask it for the names of mounts, paths, leases and policies. It lists, and never issues or reads a secret; what cannot be listed is left out.

    $ vsec complete "lease revoke" database/creds/`,
  flags: {},
  args: { min: 1, max: 2 },
  output: {},
  requests: true,
  async run(context, _flags, [words = "", typed = ""]) {
    const found = await candidatesFor(context, words, typed);
    const lines = found.map((text): Outcome => ({ show: "line", text, when: "always" }));
    return answer(...lines);
  },
});
