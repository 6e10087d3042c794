import { checkCount } from "../../argument-count.ts";
import { defineCommand } from "../../command.ts";
import { locate, MOUNT_FLAG } from "../../kv/location.ts";
import { listPath } from "../../list-path.ts";

export const command = defineCommand({
  usage: "[options] [PATH]",
  description: `
Lists the secrets under a path. Names that end in a slash have secrets under them.

    $ vsec kv list -mount=secret app`,
  flags: MOUNT_FLAG,
  output: { format: true, detailed: true },
  requests: true,
  async run(context, flags, args) {
    checkCount({ min: flags.mount === undefined ? 1 : 0, max: 1 }, args.length);
    const location = await locate(context, args[0] ?? "", flags.mount);
    return listPath(context, location.path("metadata"));
  },
});
