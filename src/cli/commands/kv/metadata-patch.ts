import type { Json } from "../../../base/json.ts";
import { contentOr } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { METADATA_FLAGS, metadataPath, metadataSettings } from "../../kv/metadata-settings.ts";

export const command = defineCommand({
  usage: "[options] KEY",
  description: `
Changes the settings of a secret, and of its custom metadata those that are named.

    $ vsec kv metadata patch -mount=secret -custom-metadata=owner=billing app/database

    $ vsec kv metadata patch -mount=secret -remove-custom-metadata=owner app/database`,
  flags: {
    ...METADATA_FLAGS,
    "remove-custom-metadata": { kind: "list", text: "A name of custom metadata to remove. May be repeated." },
  },
  args: { min: 1, max: 1 },
  output: { format: true },
  requests: true,
  async run(context, flags, [key = ""]) {
    const path = await metadataPath(context, key, flags.mount);
    const removed = flags["remove-custom-metadata"].map((name): [string, Json] => [name, null]);
    const custom = { ...flags["custom-metadata"], ...Object.fromEntries(removed) };
    const response = await context.send(
      { method: "PATCH", path, body: { ...metadataSettings(flags), custom_metadata: custom } },
      { prefix: `Error writing data to ${path}`, wrap: true },
    );
    return contentOr(response, `Success! Data written to: ${path}`);
  },
});
