import type { JsonObject } from "../../base/json.ts";
import { describeLockout } from "./auth-config.ts";
import { isAuthMount, type MountEntry, mountTokenType } from "./table.ts";

/** A mount as `sys/mounts` and `sys/auth` show it. */
export function describeMount(entry: MountEntry): JsonObject {
  return {
    accessor: entry.accessor,
    config: {
      default_lease_ttl: entry.config.defaultLeaseTtlSeconds,
      force_no_cache: entry.config.forceNoCache,
      max_lease_ttl: entry.config.maxLeaseTtlSeconds,
      ...entry.config.extra,
      ...describeAuth(entry),
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

function describeAuth(entry: MountEntry): JsonObject {
  if (!isAuthMount(entry)) return {};
  const lockout = entry.config.auth?.lockout ?? null;
  return {
    token_type: mountTokenType(entry),
    ...(lockout === null ? {} : { user_lockout_config: describeLockout(lockout) }),
  };
}
