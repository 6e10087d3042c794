import { formatGoDuration } from "../base/duration.ts";
import type { JsonObject } from "../base/json.ts";
import type { FlagValues } from "./flags.ts";

/** The settings of a mount that `secrets enable` and `secrets tune` share. */
export const MOUNT_FLAGS = {
  description: { kind: "string", text: "A text for people." },
  "default-lease-ttl": { kind: "duration", text: "How long leases of this engine live by default." },
  "max-lease-ttl": { kind: "duration", text: "How long leases of this engine can live at most." },
  options: { kind: "map", text: "An option of the engine, as in version=2. May be repeated." },
  version: { kind: "int", text: "The version of the engine; short for -options=version=<n>." },
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
    text: "A request header that the engine sees. May be repeated.",
  },
  "allowed-response-headers": {
    kind: "list",
    text: "A response header that the engine may set. May be repeated.",
  },
  "plugin-version": { kind: "string", text: "The version of the plugin." },
} as const;

type MountValues = FlagValues<typeof MOUNT_FLAGS>;

/** The options of a mount with the version among them; null where there are none. */
export function mountOptions(flags: MountValues): JsonObject | null {
  const version = flags.version === undefined || flags.version <= 0 ? {} : { version: String(flags.version) };
  const options = { ...flags.options, ...version };
  return Object.keys(options).length === 0 ? null : options;
}

/** The settings that requests carry only when they were given. */
export function givenSettings(flags: MountValues): JsonObject {
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

/** A TTL in `secrets enable`: always sent, and `0s` asks for the system's default. */
export function enabledTtl(seconds: number | undefined): string {
  return formatGoDuration(Math.max(0, seconds ?? 0));
}

/** A TTL in `secrets tune`: the empty text leaves it alone, and `system` is back to the default. */
export function tunedTtl(seconds: number | undefined): string {
  if (seconds === undefined || seconds === 0) return "";
  return seconds < 0 ? "system" : formatGoDuration(seconds);
}
