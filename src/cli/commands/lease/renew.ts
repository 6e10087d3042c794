import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { localFailure } from "../../failure.ts";
import { answer } from "../../outcome.ts";

export const command = defineCommand({
  usage: "[options] ID",
  description: `
Extends a lease. The increment counts from now, not from the lease's end, and may be shortened by the role's limit; the answer says how long the lease lives now.

    $ vsec lease renew -increment=1h database/creds/readonly/2f6a614c4aa2b19ad24b9ad944a8d4de`,
  flags: {
    increment: {
      kind: "duration",
      text: "How long the lease should live from now. Absent: the default of its role.",
    },
  },
  output: { format: true },
  requests: true,
  async run(context, flags, args) {
    if (args.length === 0) throw localFailure("Missing ID!");
    if (args.length > 1) throw localFailure(`Too many arguments (expected 1-2, got ${args.length})`);
    const leaseId = (args[0] ?? "").trim();
    const increment = Math.max(0, flags.increment ?? 0);
    const response = await context.send(
      { method: "PUT", path: "sys/leases/renew", body: { lease_id: leaseId, increment } },
      { prefix: `Error renewing ${leaseId}`, wrap: true },
    );
    return answer({ show: "secret", body: bodyOf(response) ?? {} });
  },
});
