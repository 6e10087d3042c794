import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { parseDataArguments } from "../../data-args.ts";
import { remoteFailure } from "../../failure.ts";
import { answer } from "../../outcome.ts";
import { dataPath } from "../../paths.ts";
import { isNothing } from "../../request.ts";

export const command = defineCommand({
  usage: "[options] PATH [K=V...]",
  description: `
Reads data at a path. Reading a credentials path issues a new credential with a lease, which is printed with it.

Issue a database user:

    $ vsec read database/creds/readonly

Only its password, for a script:

    $ vsec read -field=password database/creds/readonly

All of it as variables of the shell, and in an environment file:

    $ eval "$(vsec read -format=env database/creds/readonly)"

    $ vsec read -format=dotenv database/creds/readonly > .env

Further K=V arguments become parameters of the request.`,
  flags: {
    wait: {
      kind: "bool",
      text: "Answer only when the new credential was seen to work, where the engine can tell: the keys of AWS users. The same as wait=true.",
    },
  },
  args: { min: 1 },
  output: { format: true, field: true, raw: true, environment: true },
  requests: true,
  async run(context, flags, [first = "", ...given]) {
    const path = dataPath(first);
    const pairs = flags.wait === true ? [...given, "wait=true"] : given;
    const query = await parseDataArguments(pairs, context.sources);
    const isRaw = context.options.format === "raw";
    const request = { method: "GET", path, ...(pairs.length === 0 ? {} : { query }) } as const;
    const prefix = isRaw ? `Error reading: ${path}` : `Error reading ${path}`;
    const response = await context.send(request, { prefix, wrap: true, nothingIsAnswer: true });
    // What is no JSON, such as metrics or a CRL, is shown as it came.
    const { status, body: content, bytes } = response;
    if (isRaw && status === 200 && bytes !== undefined) return answer({ show: "bytes", bytes });
    if (isRaw && status === 200 && typeof content === "string")
      return answer({ show: "line", text: content.replace(/\n$/, ""), when: "always" });
    if (status === 200 && (bytes !== undefined || typeof content === "string"))
      throw remoteFailure(`${prefix}: the answer is not JSON; -format=raw shows it as it is`);
    const body = bodyOf(response);
    if (body === undefined || isNothing(response)) throw remoteFailure(`No value found at ${path}`);
    return answer({ show: "secret", body });
  },
});
