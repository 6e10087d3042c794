import type { Json } from "../../../base/json.ts";
import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { answer } from "../../outcome.ts";

export const command = defineCommand({
  usage: "[options]",
  description: `
Lists the names of the policies.

    $ vsec policy list`,
  flags: {},
  args: { min: 0, max: 0 },
  output: { format: true },
  requests: true,
  async run(context) {
    const response = await context.send(
      { method: "LIST", path: "sys/policies/acl" },
      { prefix: "Error listing policies" },
    );
    const { keys } = dataOf(response);
    const names = Array.isArray(keys) ? (keys as readonly Json[]).map(String) : [];
    return answer({ show: "table", rows: names.map((name) => [name]), data: names });
  },
});
