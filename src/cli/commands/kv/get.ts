import type { JsonObject } from "../../../base/json.ts";
import { bodyOf, dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { remoteFailure } from "../../failure.ts";
import { fieldOfData, pathSection, versionIn } from "../../kv/answers.ts";
import { locate, MOUNT_FLAG } from "../../kv/location.ts";
import { answer, type Outcome, type Section } from "../../outcome.ts";
import { isNothing } from "../../request.ts";

export const command = defineCommand({
  usage: "[options] KEY",
  description: `
Shows a secret: its data and, on a mount with versions, what is known about the version.

    $ vsec kv get -mount=secret app/database

An older version, and one value for a script:

    $ vsec kv get -mount=secret -version=3 app/database

    $ vsec kv get -mount=secret -field=password app/database`,
  flags: {
    ...MOUNT_FLAG,
    version: { kind: "int", text: "The version to show. Absent or 0: the current one." },
  },
  args: { min: 1, max: 1 },
  output: { format: true, field: true, environment: true },
  requests: true,
  async run(context, flags, [key = ""]) {
    const location = await locate(context, key, flags.mount);
    const path = location.path("data");
    const version = location.isVersioned ? (flags.version ?? 0) : 0;
    const query = version > 0 ? { query: { version: String(version) } } : {};
    const response = await context.send(
      { method: "GET", path, ...query },
      { prefix: `Error reading ${path}`, wrap: true, nothingIsAnswer: true },
    );
    const body = bodyOf(response);
    if (body === undefined || isNothing(response)) throw remoteFailure(`No value found at ${path}`);
    if (!location.isVersioned) {
      return answer({ show: "sections", body, sections: [{ title: "Data", rows: dataOf(response) }] });
    }
    return answer(versionOutcome(context, body, path));
  },
});

function versionOutcome({ options }: CommandContext, body: JsonObject, path: string): Outcome {
  const { data, metadata } = versionIn(body);
  if (options.field !== undefined && body.wrap_info === null) {
    if (data === null) throw remoteFailure(`No data found at ${path}`);
    return fieldOfData(data);
  }
  const sections: Section[] = [pathSection("Secret Path", path)];
  if (metadata !== null) sections.push({ title: "Metadata", rows: metadata });
  if (data !== null) sections.push({ title: "Data", rows: data });
  return { show: "sections", body, sections };
}
