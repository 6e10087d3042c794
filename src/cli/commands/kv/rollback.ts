import type { JsonObject } from "../../../base/json.ts";
import { bodyOf, contentOr } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { localFailure, remoteFailure } from "../../failure.ts";
import { versionIn } from "../../kv/answers.ts";
import { locate, MOUNT_FLAG } from "../../kv/location.ts";
import { isNothing } from "../../request.ts";

export const command = defineCommand({
  usage: "[options] KEY",
  description: `
Writes an earlier version of a secret once more, as its newest. Needs a mount with versions.

    $ vsec kv rollback -mount=secret -version=2 app/database`,
  flags: { ...MOUNT_FLAG, version: { kind: "int", text: "The version to go back to." } },
  output: { format: true },
  requests: true,
  async run(context, flags, args) {
    const [key = ""] = args;
    if (args.length !== 1) throw localFailure(`Invalid number of arguments (expected 1, got ${args.length})`);
    const { version } = flags;
    if (version === undefined) throw localFailure("Version flag must be specified");
    if (version <= 0) throw localFailure(`Invalid value ${version} for the version flag`);
    const location = await locate(context, key, flags.mount);
    if (!location.isVersioned) throw remoteFailure("K/V engine mount must be version 2 for rollback support");
    const path = location.path("data");
    const current = await read(context, path, {});
    const { data, metadata } = await read(context, path, { version: String(version) });
    if (metadata.destroyed === true)
      throw remoteFailure("Cannot roll back to a version that has been destroyed");
    if (data === null) throw remoteFailure("Cannot roll back to a version that has been deleted");
    const response = await context.send(
      { method: "PUT", path, body: { data, options: { cas: current.metadata.version ?? 0 } } },
      { prefix: `Error writing data to ${path}`, wrap: true },
    );
    return contentOr(response, `Success! Data written to: ${path}`);
  },
});

async function read(
  context: CommandContext,
  path: string,
  query: JsonObject,
): Promise<{ readonly data: JsonObject | null; readonly metadata: JsonObject }> {
  const response = await context.send(
    { method: "GET", path, ...(Object.keys(query).length === 0 ? {} : { query }) },
    { prefix: `Error doing pre-read at ${path}`, nothingIsAnswer: true, beforehand: true },
  );
  if (isNothing(response)) throw remoteFailure(`No value found at ${path}`);
  const { data, metadata } = versionIn(bodyOf(response));
  if (metadata === null) {
    throw remoteFailure(`No metadata found at ${path}; rollback only works on existing data`);
  }
  return { data, metadata };
}
