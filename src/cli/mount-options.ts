import { formatGoDuration } from "../base/duration.ts";
import type { JsonObject } from "../base/json.ts";
import type { FlagValues } from "./flags.ts";
import { dataPath } from "./paths.ts";

/** The settings of a mount that the commands `enable` and `tune` share. */
export const MOUNT_FLAGS = {
  description: { kind: "string", text: "A text for people." },
  "default-lease-ttl": { kind: "duration", text: "How long leases of this mount live by default." },
  "max-lease-ttl": { kind: "duration", text: "How long leases of this mount can live at most." },
  options: { kind: "map", text: "An option of the mount, as in version=2. May be repeated." },
  version: { kind: "int", text: "The version of what is mounted; short for -options=version=<n>." },
  "listing-visibility": { kind: "string", text: 'Whether others see the mount: "unauth" or "hidden".' },
  "audit-non-hmac-request-keys": {
    kind: "list",
    text: "A request key that audit devices log in clear. May be repeated.",
  },
  "audit-non-hmac-response-keys": {
    kind: "list",
    text: "A response key that audit devices log in clear. May be repeated.",
  },
  "passthrough-request-headers": {
    kind: "list",
    text: "A request header that is passed on. May be repeated.",
  },
  "allowed-response-headers": {
    kind: "list",
    text: "A response header that may be set. May be repeated.",
  },
  "plugin-version": { kind: "string", text: "The version of the plugin." },
} as const;

/** The flags that `secrets enable` and `auth enable` share. */
export const ENABLE_FLAGS = {
  path: { kind: "string", text: "Where to mount it. Absent: at its type." },
  ...MOUNT_FLAGS,
  local: { kind: "bool", text: "Accepted for compatibility: there is no replication." },
  "seal-wrap": { kind: "bool", text: "Encrypt critical values once more by the seal." },
  "external-entropy-access": { kind: "bool", text: "Use an external source of randomness." },
  "plugin-name": { kind: "string", text: 'The plugin, when TYPE is "plugin".' },
} as const;

/** The flag that only auth methods have. */
export const TOKEN_TYPE_FLAG = {
  "token-type": {
    kind: "string",
    text: "The type of the tokens of this method, whatever its roles say.",
    words: ["default-service", "default-batch", "service", "batch"],
  },
} as const;

type MountValues = FlagValues<typeof MOUNT_FLAGS>;
type EnableValues = FlagValues<typeof ENABLE_FLAGS>;

/** What is to be enabled, and where. */
export interface Enabling {
  readonly type: string;
  /** Without slashes at its ends. */
  readonly path: string;
  /** `version 1.2.3` with a blank before it where one was asked for, for messages. */
  readonly versionText: string;
  readonly body: JsonObject;
}

/**
 * What the flags of an `enable` command come to.
 * @param settings - What the command's own flags add to the mount's settings.
 */
export function enabling(flags: EnableValues, argument: string, settings: JsonObject): Enabling {
  const given = argument.trim();
  const type = given === "plugin" && flags["plugin-name"] !== undefined ? flags["plugin-name"] : given;
  const version = flags["plugin-version"];
  const body = {
    type,
    description: flags.description ?? "",
    config: {
      options: null,
      default_lease_ttl: enabledTtl(flags["default-lease-ttl"]),
      max_lease_ttl: enabledTtl(flags["max-lease-ttl"]),
      ...settings,
      ...givenSettings(flags),
    },
    local: flags.local,
    seal_wrap: flags["seal-wrap"],
    external_entropy_access: flags["external-entropy-access"],
    options: mountOptions(flags),
  };
  const versionText = version === undefined ? "" : ` version ${version}`;
  return { type, path: dataPath(flags.path || type), versionText, body };
}

/** What the flags of a `tune` command come to: only what was given, and both TTLs. */
export function tuning(flags: MountValues): JsonObject {
  const options = mountOptions(flags);
  return {
    default_lease_ttl: tunedTtl(flags["default-lease-ttl"]),
    max_lease_ttl: tunedTtl(flags["max-lease-ttl"]),
    ...(flags.description === undefined ? {} : { description: flags.description }),
    ...(options === null ? {} : { options }),
    ...givenSettings(flags),
  };
}

/** The options of a mount with the version among them; null where there are none. */
function mountOptions(flags: MountValues): JsonObject | null {
  const version = flags.version === undefined || flags.version <= 0 ? {} : { version: String(flags.version) };
  const options = { ...flags.options, ...version };
  return Object.keys(options).length === 0 ? null : options;
}

/** The settings that requests carry only when they were given. */
function givenSettings(flags: MountValues): JsonObject {
  const lists = {
    audit_non_hmac_request_keys: flags["audit-non-hmac-request-keys"],
    audit_non_hmac_response_keys: flags["audit-non-hmac-response-keys"],
    passthrough_request_headers: flags["passthrough-request-headers"],
    allowed_response_headers: flags["allowed-response-headers"],
  };
  const texts = {
    listing_visibility: flags["listing-visibility"],
    plugin_version: flags["plugin-version"],
  };
  const entries = [
    ...Object.entries(lists).filter(([, value]) => value.length > 0),
    ...Object.entries(texts).filter(([, value]) => value !== undefined),
  ];
  return Object.fromEntries(entries) as JsonObject;
}

/** A TTL in `enable`: always sent, and `0s` asks for the system's default. */
function enabledTtl(seconds: number | undefined): string {
  return formatGoDuration(Math.max(0, seconds ?? 0));
}

/** A TTL in `tune`: the empty text leaves it alone, and `system` is back to the default. */
export function tunedTtl(seconds: number | undefined): string {
  if (seconds === undefined || seconds === 0) return "";
  return seconds < 0 ? "system" : formatGoDuration(seconds);
}
