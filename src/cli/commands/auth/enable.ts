import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { ENABLE_FLAGS, enabling, TOKEN_TYPE_FLAG } from "../../mount-options.ts";
import { sentence } from "../../outcome.ts";
import { mountPath } from "../../paths.ts";

export const command = defineCommand({
  usage: "[options] TYPE",
  description: `
Enables an auth method, by which people or machines log in. It is mounted at a path of its own, by default its type.

    $ vsec auth enable approle

    $ vsec auth enable -path=gitlab -max-lease-ttl=1h jwt`,
  flags: { ...ENABLE_FLAGS, ...TOKEN_TYPE_FLAG },
  args: { min: 1, max: 1 },
  output: {},
  requests: true,
  async run(context, flags, [first = ""]) {
    const tokenType = flags["token-type"];
    const settings = tokenType === undefined ? {} : { token_type: tokenType };
    const { type, path, versionText, body } = enabling(flags, first, settings);
    const response = await context.send(
      { method: "POST", path: `sys/auth/${path}`, body },
      { prefix: `Error enabling ${type} auth` },
    );
    return sentence(
      `Success! Enabled ${type} auth method${versionText} at: ${mountPath(path)}`,
      bodyOf(response),
    );
  },
});
