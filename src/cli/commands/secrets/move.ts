import { defineCommand } from "../../command.ts";
import { moveMount } from "../../mount-move.ts";

export const command = defineCommand({
  usage: "[options] SOURCE DESTINATION",
  description: `
Moves a secrets engine to another path, and waits until that is done. Its leases are revoked; its configuration stays.

    $ vsec secrets move database/ billing-db/`,
  flags: {},
  args: { min: 2, max: 2 },
  output: {},
  requests: true,
  run: (context, _flags, args) => moveMount(context, "secrets engine", args),
});
