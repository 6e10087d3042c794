import type { JsonObject } from "../../../base/json.ts";
import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { FlagValues } from "../../flags.ts";
import { MOUNT_FLAGS, TOKEN_TYPE_FLAG, tunedTtl, tuning } from "../../mount-options.ts";
import { sentence } from "../../outcome.ts";
import { dataPath, mountPath } from "../../paths.ts";

const LOCKOUT_FLAGS = {
  "user-lockout-threshold": {
    kind: "int",
    text: "After how many failed logins in a row a user is locked out.",
  },
  "user-lockout-duration": { kind: "duration", text: "How long a user stays locked out." },
  "user-lockout-counter-reset-duration": {
    kind: "duration",
    text: "How long after the last failed login the count begins anew.",
  },
  "user-lockout-disable": { kind: "optional-bool", text: "Never lock anybody out." },
} as const;

/** The settings about failed logins that were given; null where there are none. */
function lockoutSettings(flags: FlagValues<typeof LOCKOUT_FLAGS>): JsonObject | null {
  const threshold = flags["user-lockout-threshold"];
  const duration = tunedTtl(flags["user-lockout-duration"]);
  const reset = tunedTtl(flags["user-lockout-counter-reset-duration"]);
  const isDisabled = flags["user-lockout-disable"];
  const settings = {
    ...(threshold === undefined ? {} : { lockout_threshold: String(threshold) }),
    ...(duration === "" ? {} : { lockout_duration: duration }),
    ...(reset === "" ? {} : { lockout_counter_reset_duration: reset }),
    ...(isDisabled === undefined ? {} : { lockout_disable: isDisabled }),
  };
  return Object.keys(settings).length === 0 ? null : settings;
}

export const command = defineCommand({
  usage: "[options] PATH",
  description: `
Changes settings of an enabled auth method. Only what is given changes; a TTL of "system" goes back to the default.

    $ vsec auth tune -default-lease-ttl=1h -user-lockout-threshold=10 userpass`,
  flags: { ...MOUNT_FLAGS, ...TOKEN_TYPE_FLAG, ...LOCKOUT_FLAGS },
  args: { min: 1, max: 1 },
  output: {},
  requests: true,
  async run(context, flags, [first = ""]) {
    const path = mountPath(first);
    const tokenType = flags["token-type"];
    const lockout = lockoutSettings(flags);
    const body = {
      ...tuning(flags),
      ...(tokenType === undefined ? {} : { token_type: tokenType }),
      ...(lockout === null ? {} : { user_lockout_config: lockout }),
    };
    const response = await context.send(
      { method: "POST", path: `sys/mounts/auth/${dataPath(first)}/tune`, body },
      { prefix: `Error tuning auth method ${path}` },
    );
    return sentence(`Success! Tuned the auth method at: ${path}`, bodyOf(response));
  },
});
