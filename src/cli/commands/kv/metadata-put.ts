import { contentOr } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { METADATA_FLAGS, metadataPath, metadataSettings } from "../../kv/metadata-settings.ts";

export const command = defineCommand({
  usage: "[options] KEY",
  description: `
Changes the settings of a secret, which need not have a version yet. Custom metadata replace those that were there.

    $ vsec kv metadata put -mount=secret -max-versions=5 -custom-metadata=owner=billing app/database`,
  flags: METADATA_FLAGS,
  args: { min: 1, max: 1 },
  output: { format: true },
  requests: true,
  async run(context, flags, [key = ""]) {
    const path = await metadataPath(context, key, flags.mount);
    const custom = flags["custom-metadata"];
    const body = {
      ...metadataSettings(flags),
      ...(Object.keys(custom).length === 0 ? {} : { custom_metadata: custom }),
    };
    const response = await context.send(
      { method: "PUT", path, body },
      { prefix: `Error writing data to ${path}`, wrap: true },
    );
    return contentOr(response, `Success! Data written to: ${path}`);
  },
});
