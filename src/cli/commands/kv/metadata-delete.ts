import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { MOUNT_FLAG } from "../../kv/location.ts";
import { metadataPath } from "../../kv/metadata-settings.ts";
import { sentence } from "../../outcome.ts";

export const command = defineCommand({
  usage: "[options] KEY",
  description: `
Removes a secret with all of its versions and all that is known about it. It cannot be undone.

    $ vsec kv metadata delete -mount=secret app/database`,
  flags: MOUNT_FLAG,
  args: { min: 1, max: 1 },
  output: {},
  requests: true,
  async run(context, flags, [key = ""]) {
    const path = await metadataPath(context, key, flags.mount);
    const response = await context.send({ method: "DELETE", path }, { prefix: `Error deleting ${path}` });
    return sentence(`Success! Data deleted (if it existed) at: ${path}`, bodyOf(response));
  },
});
