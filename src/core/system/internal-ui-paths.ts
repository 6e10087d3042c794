import { ApiError } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { type EngineRequest, type PathSpec, path } from "../../framework/backend.ts";
import { type Fields, field } from "../../framework/field.ts";
import { describeMount } from "../mounts/describe.ts";
import { AUTH_PREFIX, isAuthMount, type MountEntry } from "../mounts/table.ts";
import type { Acl } from "../policies/acl.ts";
import type { Services } from "../services.ts";
import { standingFor } from "../standing.ts";
import { authenticate } from "../tokens/authenticate.ts";

/**
 * `sys/internal/ui/mounts`: what is mounted, as far as the caller may use it. Clients ask this before they touch a key/value
 * path, to learn where it is mounted and in which version. No policy has to grant it. @see reference: mounts, list and read.
 */
export function internalUiPaths(services: Services): PathSpec[] {
  return [listPath(services), onePath(services)];
}

/** What the caller may. Null: no token, or one that is not good. A use of the token is not spent: this only tells what is there. */
async function aclOf<F extends Fields>(services: Services, request: EngineRequest<F>): Promise<Acl | null> {
  if (request.clientToken === "") return null;
  const caller = await authenticate(services, request.clientToken, request.remoteAddress);
  return caller === null ? null : (await standingFor(services, caller)).acl;
}

function listPath(services: Services): PathSpec {
  return path({
    pattern: "internal/ui/mounts",
    fields: {},
    unauthenticated: true,
    help: { synopsis: "List what is mounted, as far as the caller may use it." },
    operations: {
      read: {
        summary: "List the mounts that the caller may use.",
        handler: async (request) => {
          const acl = await aclOf(services, request);
          const entries = (await services.mounts.table.entries()).filter((entry) => !entry.retired);
          const shown = entries
            .filter((entry) => acl?.reaches(entry.path) === true || isListed(entry))
            .map((entry) => [entry, acl === null ? brief(entry) : describeMount(entry)] as const);
          const side = (auth: boolean): JsonObject =>
            Object.fromEntries(
              shown
                .filter(([entry]) => isAuthMount(entry) === auth)
                .map(([entry, data]): [string, Json] => [
                  auth ? entry.path.slice(AUTH_PREFIX.length) : entry.path,
                  data,
                ]),
            );
          return { data: { auth: side(true), secret: side(false) } };
        },
      },
    },
  });
}

/** Whether the mount is shown to everyone. */
function isListed({ config }: MountEntry): boolean {
  return config.extra.listing_visibility === "unauth";
}

/** What somebody without a token gets to see of a mount that is shown to everyone. */
function brief({ description, options, type }: MountEntry): JsonObject {
  return { description, options, type };
}

function onePath(services: Services): PathSpec {
  return path({
    pattern: "internal/ui/mounts/*path",
    fields: { path: field.string({ description: "A path below the mount, or the mount's own." }) },
    unauthenticated: true,
    help: { synopsis: "Show the mount that a path belongs to." },
    operations: {
      read: {
        summary: "Show the mount that a path belongs to, if the caller may use it.",
        handler: async (request) => {
          const asked = request.values.path;
          const entry = await services.mounts.entryFor(asked);
          const acl = entry === null ? null : await aclOf(services, request);
          if (entry === null || acl?.reaches(entry.path) !== true) throw refused(asked);
          return { data: { ...describeMount(entry), path: entry.path } };
        },
      },
    },
  });
}

/** The same for a mount that is not there and for one that the caller must not know of. */
function refused(asked: string): ApiError {
  return new ApiError(
    403,
    `preflight capability check returned 403, please ensure client's policies grant access to path ${JSON.stringify(`${asked}/`)}`,
  );
}
