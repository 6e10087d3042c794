import { messageOf } from "../../../base/errors.ts";
import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { remoteFailure } from "../../failure.ts";
import { goQuote } from "../../go-text.ts";
import { sentence } from "../../outcome.ts";
import { policyName } from "../../policy-name.ts";
import { STDIN_BYTES_MAX } from "../../streams.ts";

async function policyText({ world, options }: CommandContext, path: string): Promise<string> {
  if (path === "-") return options.nonInteractive ? "" : world.stdin.readAll(STDIN_BYTES_MAX);
  try {
    return await world.readFile(path);
  } catch (error) {
    throw remoteFailure(`Error opening policy file: ${messageOf(error)}`, { cause: error });
  }
}

export const command = defineCommand({
  usage: "[options] NAME PATH",
  description: `
Uploads a policy under a name, from a file or from standard input ("-"). It is written in HCL or JSON, and replaces the policy that had the name.

    $ vsec policy write apps apps-policy.hcl

    $ vsec policy write apps - <<< 'path "database/creds/readonly" { capabilities = ["read"] }'`,
  flags: {},
  args: { min: 2, max: 2 },
  output: {},
  requests: true,
  async run(context, _flags, [given = "", path = ""]) {
    const name = policyName(given);
    const policy = await policyText(context, path.trim());
    const response = await context.send(
      { method: "PUT", path: `sys/policies/acl/${name}`, body: { policy } },
      { prefix: "Error uploading policy" },
    );
    if (name !== given)
      await context.note(`Policy name was converted from ${goQuote(given)} to ${goQuote(name)}`);
    return sentence(`Success! Uploaded policy: ${name}`, bodyOf(response));
  },
});
