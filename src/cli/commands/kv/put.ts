import { defineCommand } from "../../command.ts";
import { parseDataArguments } from "../../data-args.ts";
import { localFailure } from "../../failure.ts";
import { writtenSecret } from "../../kv/answers.ts";
import { locate, MOUNT_FLAG } from "../../kv/location.ts";

export const command = defineCommand({
  usage: "[options] KEY K=V...",
  description: `
Writes a secret. What it held before is replaced; on a mount with versions the write makes a new one.

    $ vsec kv put -mount=secret app/database username=app password=@/run/secrets/db

Only if nobody has written since version 4:

    $ vsec kv put -mount=secret -cas=4 app/database @secret.json`,
  flags: {
    ...MOUNT_FLAG,
    cas: {
      kind: "int",
      text: "The version that this write replaces; the write is refused if it is not the current one. 0: there may be none.",
    },
  },
  args: { min: 1, least: ">1" },
  output: { format: true, field: true },
  requests: true,
  async run(context, flags, [key = "", ...pairs]) {
    if (pairs.length === 0) throw localFailure("Must supply data");
    const data = await parseDataArguments(pairs, context.sources);
    const location = await locate(context, key, flags.mount);
    const path = location.path("data");
    const options = flags.cas === undefined || flags.cas < 0 ? {} : { cas: flags.cas };
    const response = await context.send(
      { method: "PUT", path, body: location.isVersioned ? { data, options } : data },
      { prefix: `Error writing data to ${path}`, wrap: true },
    );
    return writtenSecret(response, location, path);
  },
});
