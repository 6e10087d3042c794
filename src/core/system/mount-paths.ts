import { badRequest } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { enableMount, mountPathOf, refuseBuiltin, tuneMount } from "../mounts/admin.ts";
import { effectiveTtl } from "../mounts/mounts.ts";
import { type Retirement, retireMount } from "../mounts/retire.ts";
import type { MountEntry } from "../mounts/table.ts";
import type { Services } from "../services.ts";

/** `sys/mounts`: enabling, listing, tuning and disabling secrets engines. @see reference: mounts. */
export function mountPaths(services: Services): PathSpec[] {
  return [listPath(services), tunePath(services), onePath(services)];
}

/** A mount as `sys/mounts` shows it. */
function describe(entry: MountEntry): JsonObject {
  return {
    accessor: entry.accessor,
    config: {
      default_lease_ttl: entry.config.defaultLeaseTtlSeconds,
      force_no_cache: entry.config.forceNoCache,
      max_lease_ttl: entry.config.maxLeaseTtlSeconds,
      ...entry.config.extra,
    },
    deprecation_status: "supported",
    description: entry.description,
    external_entropy_access: entry.externalEntropyAccess,
    local: entry.local,
    options: entry.options,
    plugin_version: "",
    running_plugin_version: "",
    running_sha256: "",
    seal_wrap: entry.sealWrap,
    type: entry.type,
    uuid: entry.uuid,
  };
}

/** The core's own backend, which is always mounted. */
const SYS: JsonObject = {
  accessor: "system_00000000",
  config: { default_lease_ttl: 0, force_no_cache: false, max_lease_ttl: 0 },
  description: "system endpoints used for control, policy and debugging",
  external_entropy_access: false,
  local: false,
  options: null,
  plugin_version: "",
  running_plugin_version: "",
  running_sha256: "",
  seal_wrap: true,
  type: "system",
  uuid: "00000000-0000-0000-0000-000000000000",
};

function listPath({ mounts }: Services): PathSpec {
  return path({
    pattern: "mounts",
    fields: {},
    help: { synopsis: "List the mounted secrets engines." },
    operations: {
      read: {
        summary: "List the mounted secrets engines.",
        handler: async () => {
          const entries = (await mounts.table.entries()).filter((entry) => !entry.retired);
          const rows = entries.map((entry): [string, Json] => [entry.path, describe(entry)]);
          const sorted = [...rows, ["sys/", SYS] as [string, Json]].sort(([a], [b]) => (a < b ? -1 : 1));
          return { data: Object.fromEntries(sorted) };
        },
      },
    },
  });
}

function onePath(services: Services): PathSpec {
  return path({
    pattern: "mounts/*path",
    fields: {
      path: field.string({ description: "Where the engine is mounted." }),
      type: field.string({ description: "The engine's type, such as database." }),
      description: field.string({ description: "What the mount is for, for people." }),
      config: field.map({
        description: "default_lease_ttl, max_lease_ttl and the other settings that tune takes.",
      }),
      options: field.kvPairs({ description: "Options of the engine's type." }),
      local: field.bool({ description: "Not replicated. Kept and shown." }),
      seal_wrap: field.bool({
        description: "Kept and shown; every value is encrypted by the barrier anyway.",
      }),
      external_entropy_access: field.bool({ description: "Kept and shown." }),
      plugin_name: field.string({ description: "The engine's type, where type is plugin." }),
    },
    help: { synopsis: "Enable, show or disable a secrets engine." },
    operations: {
      read: {
        summary: "Show one mount.",
        handler: async ({ values }) => ({ data: await show(services, values.path) }),
      },
      update: {
        summary: "Enable a secrets engine at a path.",
        handler: async ({ values }) => {
          await enableMount(services, {
            path: values.path,
            type: values.type === "plugin" ? values.plugin_name : values.type,
            description: values.description,
            config: values.config,
            options: values.options,
            local: values.local,
            sealWrap: values.seal_wrap,
            externalEntropyAccess: values.external_entropy_access,
          });
          return undefined;
        },
      },
      delete: {
        summary: "Disable a secrets engine: its leases are revoked, its data cleared.",
        handler: async ({ values }) => disable(services, values.path),
      },
    },
  });
}

async function find(services: Services, text: string): Promise<MountEntry | undefined> {
  const path = mountPathOf(text);
  return (await services.mounts.table.entries()).find((entry) => entry.path === path && !entry.retired);
}

async function show(services: Services, text: string): Promise<JsonObject> {
  const entry = await find(services, text);
  if (entry === undefined) throw badRequest(`No secret engine mount at ${mountPathOf(text)}`);
  return describe(entry);
}

async function disable(services: Services, text: string): Promise<Reply | undefined> {
  const mountPath = mountPathOf(text);
  refuseBuiltin(services.mounts, mountPath, "unmount");
  const retirement = await retireMount(services, mountPath);
  return retirement === null ? undefined : leftBehind(retirement);
}

/** The answer when leases of a disabled or moved mount could not be revoked yet. Undefined: none were left. */
export function leftBehind({ failed }: Retirement): Reply | undefined {
  const [first] = failed;
  if (first === undefined) return undefined;
  const text =
    `${failed.length} of its leases could not be revoked yet; this goes on in the background until they are gone. ` +
    `The first of them, ${first.record.id}: ${first.error}`;
  return { warnings: [text] };
}

function tunePath(services: Services): PathSpec {
  return path({
    pattern: "mounts/*path/tune",
    fields: {
      path: field.string({ description: "Where the engine is mounted." }),
      default_lease_ttl: field.string({
        description: "The TTL of leases that ask for none; `system` for the system's.",
      }),
      max_lease_ttl: field.string({ description: "The longest TTL of a lease; `system` for the system's." }),
      description: field.string({ description: "What the mount is for, for people." }),
      options: field.kvPairs({ description: "Options of the engine's type." }),
      listing_visibility: field.string({
        description: "Whether listings show the mount: empty, hidden or unauth.",
      }),
      audit_non_hmac_request_keys: field.commaStringList({
        description: "Request keys that audit shows in clear.",
      }),
      audit_non_hmac_response_keys: field.commaStringList({
        description: "Response keys that audit shows in clear.",
      }),
      passthrough_request_headers: field.commaStringList({ description: "Headers that reach the engine." }),
      allowed_response_headers: field.commaStringList({ description: "Headers that the engine may set." }),
    },
    help: { synopsis: "Show or change a mount's settings." },
    operations: {
      read: {
        summary: "Show a mount's effective settings.",
        handler: async ({ values }) => {
          const entry = await find(services, values.path);
          if (entry === undefined) {
            throw badRequest(`cannot fetch sysview for path "${mountPathOf(values.path)}"`);
          }
          const ttl = effectiveTtl(entry);
          return {
            data: {
              default_lease_ttl: ttl.defaultSeconds,
              description: entry.description,
              external_entropy_access: entry.externalEntropyAccess,
              force_no_cache: entry.config.forceNoCache,
              max_lease_ttl: ttl.maxSeconds,
              ...(entry.options === null ? {} : { options: entry.options }),
              ...entry.config.extra,
            },
          };
        },
      },
      update: {
        summary: "Change a mount's settings; those that are not given stay.",
        handler: async ({ values, given }) => {
          await tuneMount(services, values.path, given as JsonObject);
          return undefined;
        },
      },
    },
  });
}
