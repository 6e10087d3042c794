import { isJsonObject, type Json, type JsonObject } from "../../../base/json.ts";
import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { remoteFailure } from "../../failure.ts";
import { pathSection } from "../../kv/answers.ts";
import { MOUNT_FLAG } from "../../kv/location.ts";
import { metadataPath } from "../../kv/metadata-settings.ts";
import { answer, type Section } from "../../outcome.ts";
import { isNothing } from "../../request.ts";

export const command = defineCommand({
  usage: "[options] KEY",
  description: `
Shows what is known about a secret and about each of its versions, without its data.

    $ vsec kv metadata get -mount=secret app/database`,
  flags: MOUNT_FLAG,
  args: { min: 1, max: 1 },
  output: { format: true },
  requests: true,
  async run(context, flags, [key = ""]) {
    const path = await metadataPath(context, key, flags.mount);
    const response = await context.send(
      { method: "GET", path },
      { prefix: `Error reading ${path}`, wrap: true, nothingIsAnswer: true },
    );
    const body = bodyOf(response);
    if (body === undefined || isNothing(response)) throw remoteFailure(`No value found at ${path}`);
    return answer({ show: "sections", body, sections: sectionsOf(body, path) });
  },
});

function sectionsOf(body: JsonObject, path: string): readonly Section[] {
  const { versions, ...metadata } = isJsonObject(body.data) ? body.data : {};
  const known = versions !== undefined && isJsonObject(versions) ? versions : {};
  const numbers = Object.keys(known).sort((one, other) => Number(one) - Number(other));
  return [
    pathSection("Metadata Path", path),
    { title: "Metadata", rows: metadata },
    ...numbers.map((number) => ({ title: `Version ${number}`, rows: objectOr(known[number]) })),
  ];
}

function objectOr(value: Json | undefined): JsonObject {
  return value !== undefined && isJsonObject(value) ? value : {};
}
