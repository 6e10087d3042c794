import { defineCommand } from "../../command.ts";
import { changeVersions } from "../../kv/change-versions.ts";
import { MOUNT_FLAG } from "../../kv/location.ts";
import { versionsFlag } from "../../kv/versions.ts";

export const command = defineCommand({
  usage: "[options] KEY",
  description: `
Undeletes versions of a secret, so that they can be read again.

    $ vsec kv undelete -mount=secret -versions=3 app/database`,
  flags: { ...MOUNT_FLAG, ...versionsFlag("undelete") },
  args: { min: 1, max: 1 },
  output: { format: true },
  requests: true,
  run: (context, flags, [key = ""]) => changeVersions(context, "undelete", key, flags),
});
