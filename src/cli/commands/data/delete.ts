import { contentOr } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { parseDataArguments } from "../../data-args.ts";
import { dataPath } from "../../paths.ts";

export const command = defineCommand({
  usage: "[options] PATH [K=V...]",
  description: `
Deletes what is at a path. It is no error when nothing was there.

    $ vsec delete database/roles/readonly`,
  flags: {},
  args: { min: 1, least: "at least 1" },
  output: { format: true, field: true },
  requests: true,
  async run(context, _flags, [first = "", ...pairs]) {
    const path = dataPath(first);
    const query = await parseDataArguments(pairs, context.sources, "Failed to parse string list data");
    const response = await context.send(
      { method: "DELETE", path, ...(pairs.length === 0 ? {} : { query }) },
      { prefix: `Error deleting ${path}`, wrap: true },
    );
    return contentOr(response, `Success! Data deleted (if it existed) at: ${path}`);
  },
});
