import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { sentence } from "../../outcome.ts";
import { policyName } from "../../policy-name.ts";

export const command = defineCommand({
  usage: "[options] NAME",
  description: `
Deletes a policy. Tokens that have it keep the name, and may no longer do what it allowed. It is no error when there was none.

    $ vsec policy delete apps`,
  flags: {},
  args: { min: 1, max: 1 },
  output: {},
  requests: true,
  async run(context, _flags, [first = ""]) {
    const name = policyName(first);
    const response = await context.send(
      { method: "DELETE", path: `sys/policies/acl/${name}` },
      { prefix: `Error deleting ${name}` },
    );
    return sentence(`Success! Deleted policy: ${name}`, bodyOf(response));
  },
});
