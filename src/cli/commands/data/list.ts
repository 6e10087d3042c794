import { defineCommand } from "../../command.ts";
import { listPath } from "../../list-path.ts";
import { dataPath } from "../../paths.ts";

export const command = defineCommand({
  usage: "[options] PATH",
  description: `
Lists the names under a path. Those that end in a slash have names under them.

    $ vsec list database/roles`,
  flags: {},
  args: { min: 1, max: 1 },
  output: { format: true, detailed: true },
  requests: true,
  run: (context, _flags, [first = ""]) => listPath(context, dataPath(first)),
});
