import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { ENABLE_FLAGS, enabling } from "../../mount-options.ts";
import { sentence } from "../../outcome.ts";
import { mountPath } from "../../paths.ts";

export const command = defineCommand({
  usage: "[options] TYPE",
  description: `
Enables a secrets engine. It is mounted at a path of its own, by default its type.

    $ vsec secrets enable database

The same engine once more, for another team:

    $ vsec secrets enable -path=billing-db -max-lease-ttl=8h database`,
  flags: {
    ...ENABLE_FLAGS,
    "force-no-cache": { kind: "bool", text: "Do not cache what this engine stores." },
  },
  args: { min: 1, max: 1 },
  output: {},
  requests: true,
  async run(context, flags, [first = ""]) {
    const { type, path, versionText, body } = enabling(flags, first, {
      force_no_cache: flags["force-no-cache"],
    });
    const response = await context.send(
      { method: "POST", path: `sys/mounts/${path}`, body },
      { prefix: "Error enabling" },
    );
    return sentence(
      `Success! Enabled the ${type} secrets engine${versionText} at: ${mountPath(path)}`,
      bodyOf(response),
    );
  },
});
