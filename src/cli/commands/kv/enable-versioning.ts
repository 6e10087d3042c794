import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { sentence } from "../../outcome.ts";
import { dataPath, mountPath } from "../../paths.ts";

export const command = defineCommand({
  usage: "[options] PATH",
  description: `
Makes a mount of version 1 one of version 2. Its secrets stay, each with one version. There is no way back.

    $ vsec kv enable-versioning secret`,
  flags: {},
  args: { min: 1, max: 1 },
  output: { format: true },
  requests: true,
  async run(context, _flags, [first = ""]) {
    const path = mountPath(first);
    const response = await context.send(
      { method: "POST", path: `sys/mounts/${dataPath(first)}/tune`, body: { options: { version: "2" } } },
      { prefix: `Error tuning secrets engine ${path}` },
    );
    return sentence(`Success! Tuned the secrets engine at: ${path}`, bodyOf(response));
  },
});
