import { badRequest, messageOf } from "../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import { decodeBool, decodeDuration, decodeInt } from "../../framework/weak-decode.ts";
import { LOCKOUT_DEFAULTS } from "../identity/lockout.ts";
import { type AuthMountConfig, type LockoutConfig, MOUNT_TOKEN_TYPES, type MountTokenType } from "./table.ts";

/**
 * Reads what enabling or tuning an auth method sets besides a mount's usual settings; what is not given stays.
 * @param old - Undefined: the method is new.
 * @throws ApiError 400 with Vault's texts.
 * @see reference: mounts, enable and tune.
 */
export function readAuthConfig(given: JsonObject, old: AuthMountConfig | undefined): AuthMountConfig {
  const { token_type: type, user_lockout_config: lockout } = given;
  return {
    tokenType: isGiven(type) ? tokenType(type) : (old?.tokenType ?? "default-service"),
    lockout: isGiven(lockout)
      ? readLockout(lockout, old?.lockout ?? LOCKOUT_DEFAULTS)
      : (old?.lockout ?? null),
  };
}

function isGiven(value: Json | undefined): value is Exclude<Json, null> {
  if (value === undefined || value === null || value === "") return false;
  return !isJsonObject(value) || Object.keys(value).length > 0;
}

function tokenType(value: Json): MountTokenType {
  const type = MOUNT_TOKEN_TYPES.find((candidate) => candidate === value);
  if (type === undefined) throw badRequest("invalid value for 'token_type'");
  return type;
}

function readLockout(value: Json, old: LockoutConfig): LockoutConfig {
  if (!isJsonObject(value)) throw badRequest("unable to convert given mount config information");
  const read = <T>(name: string, decode: (item: Json) => T, present: T): T => {
    // The command line writes the long name, programs write the short one.
    const item = value[`lockout_${name}`] ?? value[`user_lockout_${name}`];
    if (item === undefined || item === null) return present;
    try {
      return decode(item);
    } catch (error) {
      throw badRequest(`unable to parse user lockout configuration lockout_${name}: ${messageOf(error)}`);
    }
  };
  const config: LockoutConfig = {
    threshold: read("threshold", decodeInt, old.threshold),
    durationSeconds: read("duration", decodeDuration, old.durationSeconds),
    counterResetSeconds: read("counter_reset_duration", decodeDuration, old.counterResetSeconds),
    disabled: read("disable", decodeBool, old.disabled),
  };
  if (config.threshold < 0) throw badRequest("lockout_threshold cannot be negative");
  return config;
}

/** The settings as lists of auth methods show them. */
export function describeLockout(lockout: LockoutConfig): JsonObject {
  return {
    user_lockout_counter_reset_duration: lockout.counterResetSeconds,
    user_lockout_disable: lockout.disabled,
    user_lockout_duration: lockout.durationSeconds,
    user_lockout_threshold: lockout.threshold,
  };
}
