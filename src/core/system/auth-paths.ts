import { badRequest } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { lockedAliases, unlockAlias } from "../identity/lockout.ts";
import { enableAuth, mountPathOf } from "../mounts/admin.ts";
import { describeMount } from "../mounts/describe.ts";
import { retireMount } from "../mounts/retire.ts";
import { AUTH_PREFIX, isAuthMount, TOKEN_ACCESSOR } from "../mounts/table.ts";
import type { Services } from "../services.ts";
import { ENABLE_FIELDS, enableRequest, findMount, TUNE_FIELDS, tuneOperations } from "./mount-fields.ts";
import { leftBehind } from "./mount-paths.ts";

/** `sys/auth`: enabling, listing, tuning and disabling auth methods; `sys/locked-users`. @see reference: mounts. */
export function authMountPaths(services: Services): PathSpec[] {
  return [
    listPath(services),
    onePath(services),
    path({
      pattern: "auth/*path/tune",
      fields: TUNE_FIELDS,
      sudo: true,
      help: { synopsis: "Show or change an auth method's settings." },
      operations: tuneOperations(services, AUTH_PREFIX),
    }),
    lockedPath(services),
    unlockPath(services),
  ];
}

/** The token method, which is always mounted. */
export const TOKEN_MOUNT: JsonObject = {
  accessor: TOKEN_ACCESSOR,
  config: { default_lease_ttl: 0, force_no_cache: false, max_lease_ttl: 0, token_type: "default-service" },
  description: "token based credentials",
  external_entropy_access: false,
  local: false,
  options: null,
  plugin_version: "",
  running_plugin_version: "",
  running_sha256: "",
  seal_wrap: false,
  type: "token",
  uuid: "00000000-0000-0000-0000-000000000001",
};

function listPath({ mounts }: Services): PathSpec {
  return path({
    pattern: "auth",
    fields: {},
    help: { synopsis: "List the enabled auth methods." },
    operations: {
      read: {
        summary: "List the enabled auth methods.",
        handler: async () => {
          const entries = (await mounts.table.entries()).filter(
            (entry) => !entry.retired && isAuthMount(entry),
          );
          const rows = entries.map((entry): [string, Json] => [
            entry.path.slice(AUTH_PREFIX.length),
            describeMount(entry),
          ]);
          const sorted = [...rows, ["token/", TOKEN_MOUNT] as [string, Json]].sort(([a], [b]) =>
            a < b ? -1 : 1,
          );
          return { data: Object.fromEntries(sorted) };
        },
      },
    },
  });
}

function onePath(services: Services): PathSpec {
  return path({
    pattern: "auth/*path",
    fields: ENABLE_FIELDS,
    sudo: true,
    help: { synopsis: "Enable, show or disable an auth method." },
    operations: {
      read: {
        summary: "Show one auth method.",
        handler: async ({ values }) => {
          const mountPath = mountPathOf(values.path);
          if (mountPath === "token/") return { data: TOKEN_MOUNT };
          const entry = await findMount(services, AUTH_PREFIX + mountPath);
          if (entry === undefined) throw badRequest(`No auth engine at ${mountPath}`);
          return { data: describeMount(entry) };
        },
      },
      update: {
        summary: "Enable an auth method at a path.",
        handler: async ({ values }) => {
          await enableAuth(services, enableRequest(values));
          return undefined;
        },
      },
      delete: {
        summary: "Disable an auth method: the tokens it granted are revoked, its data cleared.",
        handler: async ({ values }) => {
          const mountPath = mountPathOf(values.path);
          if (mountPath === "token/") throw badRequest("token credential backend cannot be disabled");
          const retirement = await retireMount(services, AUTH_PREFIX + mountPath);
          return retirement === null ? undefined : leftBehind(retirement);
        },
      },
    },
  });
}

function lockedPath(services: Services): PathSpec {
  return path({
    pattern: "locked-users",
    fields: { mount_accessor: field.string({ description: "Only the names of this auth method." }) },
    help: { synopsis: "List the names that too many wrong credentials have locked out." },
    operations: {
      read: {
        summary: "List the locked names by auth method.",
        handler: async ({ values }) => {
          const all = [...(await lockedAliases(services))].sort(([a], [b]) => (a < b ? -1 : 1));
          const wanted = all.filter(
            ([accessor]) => values.mount_accessor === "" || accessor === values.mount_accessor,
          );
          const total = wanted.reduce((sum, [, names]) => sum + names.length, 0);
          const accessors = wanted.map(([accessor, names]) => ({
            mount_accessor: accessor,
            counts: names.length,
            alias_identifiers: names,
          }));
          const namespace = {
            namespace_id: "root",
            namespace_path: "",
            counts: total,
            mount_accessors: accessors,
          };
          return { data: { total, by_namespace: total === 0 ? [] : [namespace] } };
        },
      },
    },
  });
}

function unlockPath(services: Services): PathSpec {
  return path({
    pattern: "locked-users/:mount_accessor/unlock/:alias_identifier",
    // Role ids and mail addresses may be any text but a slash.
    captures: { alias_identifier: /[^/]+/ },
    fields: {
      mount_accessor: field.string({ description: "The auth method's accessor." }),
      alias_identifier: field.string({ description: "The locked name: a user's, or a role id." }),
    },
    help: { synopsis: "Let a locked name log in again." },
    operations: {
      update: {
        summary: "Unlock a name.",
        handler: async ({ values }) => {
          await unlockAlias(services, values.mount_accessor, values.alias_identifier);
          return undefined;
        },
      },
    },
  });
}
