import type { Json, JsonObject } from "../../../base/json.ts";
import type { ApiResponse } from "../../../contract/wire.ts";
import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { parseDataArguments } from "../../data-args.ts";
import { CommandFailure, localFailure, remoteFailure } from "../../failure.ts";
import { versionIn, writtenSecret } from "../../kv/answers.ts";
import { locate, MOUNT_FLAG } from "../../kv/location.ts";
import { isNothing } from "../../request.ts";

export const command = defineCommand({
  usage: "[options] KEY K=V...",
  description: `
Changes parts of a secret and leaves the rest as it is. Needs a mount with versions.

    $ vsec kv patch -mount=secret app/database password=@/run/secrets/db

    $ vsec kv patch -mount=secret -remove-data=legacy app/database`,
  flags: {
    ...MOUNT_FLAG,
    cas: {
      kind: "int",
      text: "The version that this change is made to; it is refused if it is not the current one.",
    },
    method: {
      kind: "string",
      text: 'How: "patch" by a patch request, "rw" by reading the secret and writing it. By default the one, and the other where it is refused.',
      words: ["patch", "rw"],
    },
    "remove-data": { kind: "list", text: "A key to remove. May be repeated." },
  },
  args: { min: 1, least: ">1" },
  output: { format: true, field: true },
  requests: true,
  async run(context, flags, [key = "", ...pairs]) {
    if (pairs.length === 0 && flags["remove-data"].length === 0) throw localFailure("Must supply data");
    const given = await parseDataArguments(pairs, context.sources);
    const removed = flags["remove-data"].map((name): [string, Json] => [name, null]);
    const changes = { ...given, ...Object.fromEntries(removed) };
    const location = await locate(context, key, flags.mount);
    if (!location.isVersioned) throw remoteFailure("K/V engine mount must be version 2 for patch support");
    const path = location.path("data");
    const cas = flags.cas === undefined || flags.cas <= 0 ? {} : { cas: flags.cas };
    const response = await change(context, flags.method ?? "", path, changes, cas);
    return writtenSecret(response, location, path);
  },
});

async function change(
  context: CommandContext,
  method: string,
  path: string,
  changes: JsonObject,
  options: JsonObject,
): Promise<ApiResponse> {
  switch (method) {
    case "":
      return patchOrRewrite(context, path, changes, options);
    case "patch":
      return patch(context, path, changes, options);
    case "rw":
      return rewrite(context, path, changes);
    default:
      throw remoteFailure(`Unsupported method provided to -method flag: ${method}`);
  }
}

async function patch(
  context: CommandContext,
  path: string,
  data: JsonObject,
  options: JsonObject,
): Promise<ApiResponse> {
  const response = await context.send(
    { method: "PATCH", path, body: { data, options } },
    { prefix: `Error writing data to ${path}`, wrap: true, nothingIsAnswer: true },
  );
  if (isNothing(response)) throw remoteFailure(`No value found at ${path}`);
  if (response.status === 404)
    throw remoteFailure(`No data found at ${path}; patch only works on existing data`);
  return response;
}

async function patchOrRewrite(
  context: CommandContext,
  path: string,
  changes: JsonObject,
  options: JsonObject,
): Promise<ApiResponse> {
  try {
    return await patch(context, path, changes, options);
  } catch (error) {
    const status = error instanceof CommandFailure ? error.status : undefined;
    if (status !== 403 && status !== 405) throw error;
    const response = await rewrite(context, path, changes, options);
    if (status === 403) await context.note(ADVICE.replace("PATH", path));
    return response;
  }
}

const ADVICE =
  'Data was written to PATH, but a policy with the capability "patch" for it would save reading the secret first.';

/** Reads the secret, changes it here, and writes it if nobody else has meanwhile. */
async function rewrite(
  context: CommandContext,
  path: string,
  changes: JsonObject,
  options: JsonObject = {},
): Promise<ApiResponse> {
  const present = await context.send(
    { method: "GET", path },
    { prefix: `Error doing pre-read at ${path}`, nothingIsAnswer: true, beforehand: true },
  );
  if (isNothing(present)) throw remoteFailure(`No value found at ${path}`);
  const { data, metadata } = versionIn(bodyOf(present));
  if (metadata === null)
    throw remoteFailure(`No metadata found at ${path}; patch only works on existing data`);
  if (data === null) throw remoteFailure(`No data found at ${path}; patch only works on existing data`);
  const changed = Object.fromEntries(
    Object.entries({ ...data, ...changes }).filter(([key, value]) => !(value === null && key in changes)),
  );
  return context.send(
    { method: "PUT", path, body: { data: changed, options: { cas: options.cas ?? metadata.version ?? 0 } } },
    { prefix: `Error writing data to ${path}`, wrap: true },
  );
}
