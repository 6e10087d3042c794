import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { sentence } from "../../outcome.ts";
import { dataPath, mountPath } from "../../paths.ts";

export const command = defineCommand({
  usage: "[options] PATH",
  description: `
Disables the audit device at a path. What it has written stays; its HMAC key is lost, so nothing can be compared with it any more.

    $ vsec audit disable file`,
  flags: {},
  args: { min: 1, max: 1 },
  output: {},
  requests: true,
  async run(context, _flags, [first = ""]) {
    const response = await context.send(
      { method: "DELETE", path: `sys/audit/${dataPath(first)}` },
      { prefix: "Error disabling audit device" },
    );
    return sentence(
      `Success! Disabled audit device (if it was enabled) at: ${mountPath(first)}`,
      bodyOf(response),
    );
  },
});
