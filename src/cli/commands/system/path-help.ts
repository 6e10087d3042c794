import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure, remoteFailure } from "../../failure.ts";
import { answer } from "../../outcome.ts";
import { dataPath } from "../../paths.ts";

/** What every path of an engine answers while the store is sealed. */
const SEALED_STATUS = 503;

export const command = defineCommand({
  usage: "[options] PATH",
  description: `
Shows the help of a path: what it is for, and its parameters. Every engine describes its own paths.

    $ vsec path-help database/roles/readonly`,
  flags: {},
  args: { min: 1, max: 1 },
  output: { format: true },
  requests: true,
  async run(context, _flags, [first = ""]) {
    const path = dataPath(first);
    const response = await context
      .send({ method: "HELP", path }, { prefix: "Error retrieving help" })
      .catch((error: unknown) => {
        if (!(error instanceof CommandFailure) || error.status !== SEALED_STATUS) throw error;
        throw remoteFailure(
          "Error: Vault is sealed.\n\nHelp comes from the engines that are enabled, so the store has to be unsealed first.",
          { cause: error },
        );
      });
    const data = dataOf(response);
    const text = typeof data.help === "string" ? data.help : "";
    return answer({ show: "text", text, data: data.openapi ?? {}, compact: true });
  },
});
