import { parseDurationSeconds } from "../../base/duration.ts";
import { badRequest, hasCode } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { type MountContext, type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { EngineStorage, EngineWrite } from "../../framework/storage.ts";
import { PLAIN_PREFIX, plainKey } from "./keys.ts";
import { checkData } from "./secret-data.ts";
import { NOT_UPGRADED } from "./upgrade.ts";

/** The paths of version 1: a secret is what was written, and the next write replaces it. @see reference: key/value, version 1. */
export function plainPaths(context: MountContext): PathSpec[] {
  return [onePath(context), rootPath(context)];
}

function onePath(context: MountContext): PathSpec {
  const { storage } = context;
  return path({
    pattern: "*path",
    fields: { path: field.string({ description: "The secret's path." }) },
    takesAnyField: true,
    help: { synopsis: "Keep, read, list or delete a secret." },
    exists: async ({ values }) => (await storage.get(plainKey(values.path))) !== null,
    operations: {
      read: {
        summary: "Read a secret.",
        handler: async ({ values }) => {
          const entry = await storage.get(plainKey(values.path));
          return entry === null ? undefined : secretReply(context, entry.value);
        },
      },
      update: {
        summary: "Keep the given fields as the secret.",
        handler: async ({ values, raw }) => {
          if (Object.keys(raw).length === 0) throw badRequest("missing data fields");
          await write(storage, { op: "put", key: plainKey(values.path), value: checkData(raw) });
          return undefined;
        },
      },
      delete: {
        summary: "Delete a secret.",
        handler: async ({ values }) => {
          await write(storage, { op: "delete", key: plainKey(values.path) });
          return undefined;
        },
      },
      list: {
        summary: "List the secrets below a path.",
        handler: async ({ values }) => ({ data: { keys: await storage.list(`${plainKey(values.path)}/`) } }),
      },
    },
  });
}

function rootPath({ storage }: MountContext): PathSpec {
  const refuse = async (): Promise<never> => {
    throw badRequest("missing path");
  };
  return path({
    pattern: "",
    fields: {},
    takesAnyField: true,
    help: { synopsis: "List the secrets at the top." },
    operations: {
      list: {
        summary: "List the secrets at the top.",
        handler: async () => ({ data: { keys: await storage.list(PLAIN_PREFIX) } }),
      },
      read: { summary: "Refused: a path is needed.", handler: refuse },
      update: { summary: "Refused: a path is needed.", handler: refuse },
      delete: { summary: "Refused: a path is needed.", handler: refuse },
    },
  });
}

async function write(storage: EngineStorage, change: EngineWrite): Promise<void> {
  try {
    await storage.commit([change, NOT_UPGRADED]);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    const text =
      "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly.";
    throw badRequest(text, error);
  }
}

/** The answer tells for how long the secret may be remembered, and has no lease. */
function secretReply({ ttl }: MountContext, data: JsonObject): Reply {
  const ttlSeconds = secondsOf(data.ttl ?? data.lease) ?? ttl.defaultSeconds;
  return { data, renewed: { id: "", renewable: false, ttlSeconds } };
}

function secondsOf(value: Json | undefined): number | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  if (value === "") return undefined;
  try {
    const seconds = parseDurationSeconds(String(value));
    return seconds < 0 ? undefined : seconds;
  } catch {
    // What people keep under these names need not be a duration.
    return undefined;
  }
}
