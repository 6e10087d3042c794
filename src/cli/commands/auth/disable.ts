import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { sentence } from "../../outcome.ts";
import { dataPath, mountPath } from "../../paths.ts";

export const command = defineCommand({
  usage: "[options] PATH",
  description: `
Disables the auth method at a path. Every token that came from it is revoked, and with it every lease.

    $ vsec auth disable approle`,
  flags: {},
  args: { min: 1, max: 1 },
  output: {},
  requests: true,
  async run(context, _flags, [first = ""]) {
    const path = mountPath(first);
    const response = await context.send(
      { method: "DELETE", path: `sys/auth/${dataPath(first)}` },
      { prefix: `Error disabling auth method at ${path}` },
    );
    return sentence(`Success! Disabled the auth method (if it existed) at: ${path}`, bodyOf(response));
  },
});
