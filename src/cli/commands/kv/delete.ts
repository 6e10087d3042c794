import { contentOr } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { locate, MOUNT_FLAG } from "../../kv/location.ts";
import { versionNumbers, versionsFlag } from "../../kv/versions.ts";
import type { CommandRequest } from "../../request.ts";

export const command = defineCommand({
  usage: "[options] KEY",
  description: `
Deletes a secret, or on a mount with versions its current one or those that are named. Deleted versions can be undeleted.

    $ vsec kv delete -mount=secret app/database

    $ vsec kv delete -mount=secret -versions=2,3 app/database`,
  flags: { ...MOUNT_FLAG, ...versionsFlag("delete") },
  args: { min: 1, max: 1 },
  output: { format: true, field: true },
  requests: true,
  async run(context, flags, [key = ""]) {
    const location = await locate(context, key, flags.mount);
    const path = location.path("data");
    const versions = versionNumbers(flags.versions);
    const request: CommandRequest =
      location.isVersioned && versions.length > 0
        ? { method: "PUT", path: location.path("delete"), body: { versions } }
        : { method: "DELETE", path };
    const response = await context.send(request, { prefix: `Error deleting ${path}`, wrap: true });
    return contentOr(response, `Success! Data deleted (if it existed) at: ${path}`);
  },
});
