import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { remoteFailure } from "../../failure.ts";
import { answer } from "../../outcome.ts";
import { policyName } from "../../policy-name.ts";
import { isNothing } from "../../request.ts";

export const command = defineCommand({
  usage: "[options] NAME",
  description: `
Prints a policy.

    $ vsec policy read apps`,
  flags: {},
  args: { min: 1, max: 1 },
  output: { format: true },
  requests: true,
  async run(context, _flags, [first = ""]) {
    const name = policyName(first);
    const response = await context.send(
      { method: "GET", path: `sys/policies/acl/${name}` },
      { prefix: `Error reading policy named ${name}`, nothingIsAnswer: true },
    );
    const { policy } = dataOf(response);
    if (isNothing(response) || typeof policy !== "string" || policy === "")
      throw remoteFailure(`No policy named: ${name}`);
    return answer({ show: "text", text: policy.trim(), data: { policy } });
  },
});
