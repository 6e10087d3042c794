import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { sentence } from "../../outcome.ts";
import { dataPath, mountPath } from "../../paths.ts";

export const command = defineCommand({
  usage: "[options] PATH",
  description: `
Disables the secrets engine at a path. Its leases are revoked first, then its configuration is removed.

    $ vsec secrets disable database`,
  flags: {},
  args: { min: 1, max: 1 },
  output: {},
  requests: true,
  async run(context, _flags, [first = ""]) {
    const path = mountPath(first);
    const response = await context.send(
      { method: "DELETE", path: `sys/mounts/${dataPath(first)}` },
      { prefix: `Error disabling secrets engine at ${path}` },
    );
    return sentence(`Success! Disabled the secrets engine (if it existed) at: ${path}`, bodyOf(response));
  },
});
