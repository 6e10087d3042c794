import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import { type MountContext, type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { versionReply } from "./data-path.ts";
import { readVersion } from "./read-version.ts";

/** `subkeys/:path`. @see reference: key/value, version 2. */
export function subkeysPath({ storage, clock }: MountContext): PathSpec {
  return path({
    pattern: "subkeys/*path",
    fields: {
      path: field.string({ description: "The secret's path." }),
      version: field.int({ description: "The version to look at; 0 for the current one." }),
      depth: field.int({ description: "How many levels of keys are shown; 0 for all." }),
    },
    help: { synopsis: "Show the keys within a secret, without their values." },
    operations: {
      read: {
        summary: "Show the keys within a version of a secret.",
        handler: async ({ values }) => {
          const found = await readVersion(storage, values.path, values.version, clock.now());
          if (found === null) return undefined;
          const levels = values.depth > 0 ? values.depth : Number.POSITIVE_INFINITY;
          const subkeys = found.data === null ? null : keysOnly(found.data, levels);
          return versionReply(found, { subkeys });
        },
      },
    },
  });
}

/** The same tree of keys, with null for everything that is no object, has no keys, or lies too deep. */
function keysOnly(data: JsonObject, levels: number): JsonObject {
  const entries = Object.entries(data).map(([key, value]): [string, Json] => {
    const goesOn = levels > 1 && isJsonObject(value) && Object.keys(value).length > 0;
    return [key, goesOn ? keysOnly(value, levels - 1) : null];
  });
  return Object.fromEntries(entries);
}
