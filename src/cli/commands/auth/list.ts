import { defineCommand } from "../../command.ts";
import { AUTH_COLUMNS, mountList } from "../../mount-list.ts";

export const command = defineCommand({
  usage: "[options]",
  description: `
Lists the enabled auth methods by path.

    $ vsec auth list -detailed`,
  flags: {},
  args: { min: 0, max: 0 },
  output: { format: true, detailed: true },
  requests: true,
  async run(context) {
    const response = await context.send(
      { method: "GET", path: "sys/auth" },
      { prefix: "Error listing enabled authentications" },
    );
    return mountList(response, context.options.detailed ? AUTH_COLUMNS.detailed : AUTH_COLUMNS.basic);
  },
});
