import { defineCommand } from "../../command.ts";
import { FORCE_FLAG, writeData } from "../../write-data.ts";

export const command = defineCommand({
  usage: "[options] PATH [K=V...]",
  description: `
Writes data to a path: configuration, roles, secrets, or the parameters of an action.

A value may come from a file (key=@file) or from standard input (key=-); keep secrets out of the argument list that way. A lone @file or - is a JSON object with many keys at once.

    $ vsec write database/config/app plugin_name=postgresql-database-plugin \\
        connection_url="postgresql://{{username}}:{{password}}@db:5432/app" \\
        allowed_roles=readonly username=vsec password=@/run/secrets/db

An action that needs no data:

    $ vsec write -force database/rotate-root/app`,
  flags: FORCE_FLAG,
  args: { min: 1 },
  output: { format: true, field: true },
  requests: true,
  run: (context, flags, args) => writeData(context, "PUT", flags.force, args),
});
