import { defineCommand } from "../../command.ts";
import { localFailure } from "../../failure.ts";
import { SSH_FLAGS } from "../../ssh/flags.ts";
import { parseTarget } from "../../ssh/target.ts";

export const command = defineCommand({
  usage: "[options] USER@HOST [SSH ARGUMENTS...]",
  description: `
Logs in to a host with a certificate or a one-time password of the ssh engine. What ssh is to be given besides stands after the
host, behind "--" where it begins with a dash.

    $ vsec ssh -mode=ca -role=admins ubuntu@web1

    $ vsec ssh -mode=otp -role=office ubuntu@10.1.2.3 -- -p 2222

The exit code is ssh's.`,
  flags: SSH_FLAGS,
  args: { min: 1, least: ">=1" },
  output: { format: true, field: true },
  requests: true,
  async run(context, flags, [first = "", ...rest]) {
    const run = { target: parseTarget(first, context.world.env), rest };
    const mount = `${(flags["mount-point"] ?? "ssh").replace(/^\/+|\/+$/g, "")}/`;
    switch (flags.mode) {
      case "ca": {
        const { logInWithCertificate } = await import("../../ssh/certificate-login.ts");
        return logInWithCertificate(context, flags, mount, run);
      }
      case "otp": {
        const { logInWithPassword } = await import("../../ssh/password-login.ts");
        return logInWithPassword(context, flags, mount, run);
      }
      case undefined:
        throw localFailure("Missing -mode: ca or otp");
      default:
        throw localFailure(`Unknown SSH mode: ${flags.mode}`);
    }
  },
});
