import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { PathSpec } from "../../framework/backend.ts";
import { field, type Values } from "../../framework/field.ts";
import { type EnableRequest, mountPathOf, tuneMount } from "../mounts/admin.ts";
import { describeLockout } from "../mounts/auth-config.ts";
import { effectiveTtl } from "../mounts/mounts.ts";
import { isAuthMount, type MountEntry, mountTokenType } from "../mounts/table.ts";
import type { Services } from "../services.ts";

/*
 * What `sys/mounts` and `sys/auth` have in common. Auth methods may also be tuned as `sys/mounts/auth/<path>/tune`, which
 * is what Vault's own client does.
 */

const PATH = field.string({ description: "Where it is mounted." });

export const ENABLE_FIELDS = {
  path: PATH,
  type: field.string({ description: "Its type, such as database or approle." }),
  description: field.string({ description: "What the mount is for, for people." }),
  config: field.map({
    description: "default_lease_ttl, max_lease_ttl and the other settings that tune takes.",
  }),
  options: field.kvPairs({ description: "Options of the type." }),
  local: field.bool({ description: "Not replicated. Kept and shown." }),
  seal_wrap: field.bool({ description: "Kept and shown; every value is encrypted by the barrier anyway." }),
  external_entropy_access: field.bool({ description: "Kept and shown." }),
  plugin_name: field.string({ description: "The type, where type is plugin." }),
};

export function enableRequest(values: Values<typeof ENABLE_FIELDS>): EnableRequest {
  return {
    path: values.path,
    type: values.type === "plugin" ? values.plugin_name : values.type,
    description: values.description,
    config: values.config,
    options: values.options,
    local: values.local,
    sealWrap: values.seal_wrap,
    externalEntropyAccess: values.external_entropy_access,
  };
}

export const TUNE_FIELDS = {
  path: PATH,
  default_lease_ttl: field.string({
    description: "The TTL of leases that ask for none; `system` for the system's.",
  }),
  max_lease_ttl: field.string({ description: "The longest TTL of a lease; `system` for the system's." }),
  description: field.string({ description: "What the mount is for, for people." }),
  options: field.kvPairs({ description: "Options of the type." }),
  listing_visibility: field.string({
    description: "Whether listings show the mount: empty, hidden or unauth.",
  }),
  audit_non_hmac_request_keys: field.commaStringList({
    description: "Request keys that audit shows in clear.",
  }),
  audit_non_hmac_response_keys: field.commaStringList({
    description: "Response keys that audit shows in clear.",
  }),
  passthrough_request_headers: field.commaStringList({ description: "Headers that reach the mount." }),
  allowed_response_headers: field.commaStringList({ description: "Headers that the mount may set." }),
  token_type: field.string({
    description:
      "Of auth methods: the type of tokens. default-service and default-batch leave it to roles, service and batch do not.",
  }),
  user_lockout_config: field.map({
    description:
      "Of auth methods: lockout_threshold, lockout_duration, lockout_counter_reset_duration and lockout_disable.",
  }),
};

/** The mount at a path in the table's form, `database/` or `auth/approle/`. */
export async function findMount({ mounts }: Services, path: string): Promise<MountEntry | undefined> {
  return (await mounts.table.entries()).find((entry) => entry.path === path && !entry.retired);
}

/** Reading and changing settings. @param prefix - What the table's paths begin with and the request's do not. */
export function tuneOperations(
  services: Services,
  prefix: "" | "auth/",
): PathSpec<typeof TUNE_FIELDS>["operations"] {
  return {
    read: {
      summary: "Show a mount's effective settings.",
      handler: async ({ values }) => {
        const mountPath = prefix + mountPathOf(values.path);
        const entry = await findMount(services, mountPath);
        if (entry === undefined) throw badRequest(`cannot fetch sysview for path "${mountPath}"`);
        return { data: describeTuning(entry) };
      },
    },
    update: {
      summary: "Change a mount's settings; those that are not given stay.",
      handler: async ({ values, given }) => {
        await tuneMount(services, prefix + values.path, given as JsonObject);
        return undefined;
      },
    },
  };
}

function describeTuning(entry: MountEntry): JsonObject {
  const ttl = effectiveTtl(entry);
  const lockout = entry.config.auth?.lockout ?? null;
  return {
    default_lease_ttl: ttl.defaultSeconds,
    description: entry.description,
    external_entropy_access: entry.externalEntropyAccess,
    force_no_cache: entry.config.forceNoCache,
    max_lease_ttl: ttl.maxSeconds,
    ...(entry.options === null ? {} : { options: entry.options }),
    ...entry.config.extra,
    ...(isAuthMount(entry) ? { token_type: mountTokenType(entry) } : {}),
    ...(lockout === null ? {} : describeLockout(lockout)),
  };
}
