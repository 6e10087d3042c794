import { defineCommand } from "../../command.ts";
import { FORCE_FLAG, writeData } from "../../write-data.ts";

export const command = defineCommand({
  usage: "[options] PATH K=V...",
  description: `
Changes parts of the data at a path and leaves the rest as it is. Arguments are those of write.

    $ vsec patch secret/data/app @changes.json`,
  flags: FORCE_FLAG,
  args: { min: 1 },
  output: { format: true, field: true },
  requests: true,
  run: (context, flags, args) => writeData(context, "PATCH", flags.force, args),
});
