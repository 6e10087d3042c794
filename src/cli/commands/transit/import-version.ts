import { defineCommand } from "../../command.ts";
import { IMPORT_COMMAND, importKey } from "../../transit/import-key.ts";

export const command = defineCommand({
  ...IMPORT_COMMAND,
  description: `
Brings a new version of a key into a transit mount that was itself brought in. KEY is the version's material in base64, or "@" and
a file that holds that.

    $ vsec transit import-version transit/keys/mine @key.b64`,
  run: (context, _flags, args) => importKey(context, "import_version", args),
});
