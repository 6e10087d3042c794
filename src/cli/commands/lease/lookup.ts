import { bodyOf } from "../../answers.ts";
import { checkCount } from "../../argument-count.ts";
import { defineCommand } from "../../command.ts";
import { localFailure } from "../../failure.ts";
import { answer } from "../../outcome.ts";

export const command = defineCommand({
  usage: "[options] ID",
  description: `
Shows a lease: when it was issued, when it ends, and whether it can be renewed.

    $ vsec lease lookup database/creds/readonly/2f6a614c4aa2b19ad24b9ad944a8d4de`,
  flags: {},
  output: { format: true },
  requests: true,
  async run(context, _flags, args) {
    if (args.length === 0) throw localFailure("Missing ID!");
    checkCount({ min: 1, max: 1 }, args.length);
    const leaseId = (args[0] ?? "").trim();
    const response = await context.send(
      { method: "PUT", path: "sys/leases/lookup", body: { lease_id: leaseId } },
      { prefix: `error looking up lease id ${leaseId}`, wrap: true },
    );
    return answer({ show: "secret", body: bodyOf(response) ?? {} });
  },
});
