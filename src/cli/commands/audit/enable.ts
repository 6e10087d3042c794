import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { parseStringArguments } from "../../data-args.ts";
import { localFailure } from "../../failure.ts";
import { sentence } from "../../outcome.ts";
import { dataPath, mountPath } from "../../paths.ts";

const TYPE_MISSING =
  "Error enabling audit device: audit type missing. Valid types include 'file', 'socket' and 'syslog'.";

export const command = defineCommand({
  usage: "[options] TYPE [K=V...]",
  description: `
Enables an audit device, which records every request and answer. Secrets in it are HMACs, so they can be compared and not read. While a device is enabled and none can write, every request is refused.

    $ vsec audit enable file file_path=/var/log/vsec-audit.log

    $ vsec audit enable -path=console file file_path=stdout`,
  flags: {
    path: { kind: "string", text: "The path of the device. Absent: its type." },
    description: { kind: "string", text: "A text for people." },
    local: { kind: "bool", text: "Accepted for compatibility: there is no replication." },
  },
  output: {},
  requests: true,
  async run(context, flags, [first, ...pairs]) {
    if (first === undefined) throw localFailure(TYPE_MISSING);
    const type = first.trim();
    const path = dataPath(flags.path ?? type);
    const options = await parseStringArguments(pairs, context.sources, "Failed to parse K=V data");
    const body = { type, description: flags.description ?? "", options, local: flags.local };
    const response = await context.send(
      { method: "PUT", path: `sys/audit/${path}`, body },
      { prefix: "Error enabling audit device" },
    );
    return sentence(`Success! Enabled the ${type} audit device at: ${mountPath(path)}`, bodyOf(response));
  },
});
