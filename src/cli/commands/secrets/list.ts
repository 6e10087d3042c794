import { defineCommand } from "../../command.ts";
import { mountList, SECRETS_COLUMNS } from "../../mount-list.ts";

export const command = defineCommand({
  usage: "[options]",
  description: `
Lists the enabled secrets engines by path.

    $ vsec secrets list -detailed`,
  flags: {},
  args: { min: 0, max: 0 },
  output: { format: true, detailed: true },
  requests: true,
  async run(context) {
    const response = await context.send(
      { method: "GET", path: "sys/mounts" },
      { prefix: "Error listing secrets engines" },
    );
    return mountList(response, context.options.detailed ? SECRETS_COLUMNS.detailed : SECRETS_COLUMNS.basic);
  },
});
