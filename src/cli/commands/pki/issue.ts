import { defineCommand } from "../../command.ts";
import { parseDataArguments } from "../../data-args.ts";
import { localFailure } from "../../failure.ts";
import { childOf, ISSUE_FLAGS, issueIntermediate, parentOf } from "../../pki/issue-intermediate.ts";

export const command = defineCommand({
  usage: "[options] PARENT CHILD_MOUNT K=V...",
  description: `
Makes an intermediate authority on the CHILD_MOUNT, signed by the PARENT, which is given as mount/issuer/issuer-ref. The K=V
are what the certificate is to say; a common name at least.

    $ vsec pki issue -issuer_name=int-1 pki_root/issuer/default pki_int common_name=Intermediate ttl=8760h`,
  flags: ISSUE_FLAGS,
  output: { format: true },
  requests: true,
  async run(context, flags, args) {
    const [parent = "", child = "", ...pairs] = args;
    if (args.length < 3) {
      throw localFailure(
        "Not enough arguments expected parent issuer and child-mount location and some key_value argument",
      );
    }
    return issueIntermediate(context, {
      parent: parentOf(parent),
      child: childOf(child),
      type: flags.type ?? "internal",
      issuerName: flags.issuer_name ?? "",
      data: await parseDataArguments(pairs, context.sources),
    });
  },
});
