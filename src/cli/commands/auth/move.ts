import { defineCommand } from "../../command.ts";
import { moveMount } from "../../mount-move.ts";

export const command = defineCommand({
  usage: "[options] SOURCE DESTINATION",
  description: `
Moves an auth method to another path, and waits until that is done. Both paths begin with auth/. The tokens that came from it are revoked; its configuration stays.

    $ vsec auth move auth/approle/ auth/machines/`,
  flags: {},
  args: { min: 2, max: 2 },
  output: {},
  requests: true,
  run: (context, _flags, args) => moveMount(context, "auth method", args),
});
