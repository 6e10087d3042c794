import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { MOUNT_FLAGS, tuning } from "../../mount-options.ts";
import { sentence } from "../../outcome.ts";
import { dataPath, mountPath } from "../../paths.ts";

export const command = defineCommand({
  usage: "[options] PATH",
  description: `
Changes settings of an enabled secrets engine. Only what is given changes; a TTL of "system" goes back to the default.

    $ vsec secrets tune -default-lease-ttl=1h -max-lease-ttl=8h database`,
  flags: MOUNT_FLAGS,
  args: { min: 1, max: 1 },
  output: {},
  requests: true,
  async run(context, flags, [first = ""]) {
    const path = mountPath(first);
    const response = await context.send(
      { method: "POST", path: `sys/mounts/${dataPath(first)}/tune`, body: tuning(flags) },
      { prefix: `Error tuning secrets engine ${path}` },
    );
    return sentence(`Success! Tuned the secrets engine at: ${path}`, bodyOf(response));
  },
});
