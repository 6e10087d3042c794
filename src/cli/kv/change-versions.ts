import { contentOr } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { localFailure } from "../failure.ts";
import type { Result } from "../outcome.ts";
import { locate } from "./location.ts";
import { requireVersions } from "./versions.ts";

/** What `undelete` and `destroy` do: they differ in their verb only. */
export async function changeVersions(
  context: CommandContext,
  verb: "undelete" | "destroy",
  key: string,
  flags: { readonly mount: string | undefined; readonly versions: readonly string[] },
): Promise<Result> {
  const versions = requireVersions(flags.versions, verb);
  const location = await locate(context, key, flags.mount);
  if (!location.isVersioned) {
    const name = verb === "undelete" ? "Undelete" : "Destroy";
    throw localFailure(`${name} not supported on KV Version 1`);
  }
  const path = location.path(verb);
  const response = await context.send(
    { method: "PUT", path, body: { versions } },
    { prefix: `Error writing data to ${path}`, wrap: true },
  );
  return contentOr(response, `Success! Data written to: ${path}`);
}
