import { formatGoDuration } from "../../base/duration.ts";
import type { JsonObject } from "../../base/json.ts";
import type { CommandContext } from "../command-context.ts";
import { localFailure } from "../failure.ts";
import type { FlagValues } from "../flags.ts";
import { locate, MOUNT_FLAG } from "./location.ts";

/** The settings of a secret that `metadata put` and `metadata patch` share. */
export const METADATA_FLAGS = {
  ...MOUNT_FLAG,
  "max-versions": { kind: "int", text: "How many versions are kept; 0 for the mount's number." },
  "cas-required": { kind: "optional-bool", text: "Every write has to name the version that it replaces." },
  "delete-version-after": {
    kind: "duration",
    text: "After how long a new version is deleted; 0 for the mount's time.",
  },
  "custom-metadata": { kind: "map", text: "A text by name, as in owner=team-a. May be repeated." },
} as const;

/** The settings that were given, without custom metadata. */
export function metadataSettings(flags: FlagValues<typeof METADATA_FLAGS>): JsonObject {
  const versions = flags["max-versions"];
  const casRequired = flags["cas-required"];
  const afterSeconds = flags["delete-version-after"];
  return {
    ...(versions === undefined || versions < 0 ? {} : { max_versions: versions }),
    ...(casRequired === undefined ? {} : { cas_required: casRequired }),
    ...(afterSeconds === undefined || afterSeconds < 0
      ? {}
      : { delete_version_after: formatGoDuration(afterSeconds) }),
  };
}

/** The path of what is known about a secret. @throws CommandFailure (exit 1) on a mount without versions. */
export async function metadataPath(
  context: CommandContext,
  key: string,
  mount: string | undefined,
): Promise<string> {
  const location = await locate(context, key, mount);
  if (!location.isVersioned) throw localFailure("Metadata not supported on KV Version 1");
  return location.path("metadata");
}
