import { isJsonObject } from "../../../base/json.ts";
import { EXIT } from "../../../contract/exit-codes.ts";
import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { remoteFailure } from "../../failure.ts";
import { answer, type Result } from "../../outcome.ts";
import { dataPath } from "../../paths.ts";
import { isNothing } from "../../request.ts";

/** Programs get an empty object where there is nothing to list, people a sentence; the exit code tells both. */
function nothingListed(format: string, text: string): Result {
  if (format === "table") throw remoteFailure(text);
  return { outcomes: [{ show: "text", text: "", data: {} }], exitCode: EXIT.remote.code };
}

export const command = defineCommand({
  usage: "[options] PATH",
  description: `
Lists the names under a path. Those that end in a slash have names under them.

    $ vsec list database/roles`,
  flags: {},
  args: { min: 1, max: 1 },
  output: { format: true, detailed: true },
  requests: true,
  async run(context, _flags, [first = ""]) {
    const path = dataPath(first);
    const { format, detailed } = context.options;
    const response = await context.send(
      { method: "LIST", path },
      { prefix: `Error listing ${path}`, wrap: true, nothingIsAnswer: true },
    );
    const body = bodyOf(response);
    if (body === undefined || isNothing(response)) return nothingListed(format, `No value found at ${path}`);
    const hasKeys = isJsonObject(body.data) && Array.isArray(body.data.keys);
    if (!hasKeys && !isJsonObject(body.wrap_info))
      return nothingListed(format, `No entries found at ${path}`);
    return answer({ show: "keys", body, detailed });
  },
});
