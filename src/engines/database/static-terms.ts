import { badRequest } from "../../base/errors.ts";
import { field, type Given } from "../../framework/field.ts";
import {
  BOTH_GIVEN,
  checkSchedule,
  NO_ROTATION,
  ROTATION_FIELDS,
  type RotationTimes,
} from "../../framework/rotation.ts";
import { CREDENTIAL_TYPES, checkCredential } from "./credential-type.ts";
import type { StaticTerms } from "./static-role.ts";

export const STATIC_FIELDS = {
  name: field.string({ description: "The role's name." }),
  db_name: field.string({
    description: "The connection that the user is administered with.",
    required: true,
  }),
  username: field.string({
    description: "The existing user. Has to be given again with every update.",
    required: true,
  }),
  rotation_statements: field.stringList({
    description: "What changes the password; by default the plugin's own statement.",
  }),
  ...ROTATION_FIELDS,
  credential_type: field.string({
    description: "The kind of credential.",
    default: "password",
    allowed: CREDENTIAL_TYPES,
  }),
  credential_config: field.kvPairs({ description: "Settings of the credential type: password_policy." }),
  skip_import_rotation: field.bool({
    description: "Leave the password as it is until the first rotation is due.",
  }),
  password: field.string({
    description: "The user's present password, where it is to be known before the first rotation.",
    sensitive: true,
  }),
  self_managed_password: field.string({
    description: "The older name of password.",
    sensitive: true,
    deprecated: true,
  }),
};

export type StaticGiven = Given<typeof STATIC_FIELDS>;

const PERIOD_SECONDS_MIN = 5;
const WINDOW_SECONDS_MIN = 3600;
const USERNAME_CHARS_MAX = 255;

/**
 * A static role's terms after a write that leaves alone what it was not given.
 * @param old - Null: the role is new. @param skipsByDefault - What the connection says of a new role's first rotation.
 * @throws ApiError 400 with Vault's texts. @see reference: database engine, static roles.
 */
export function mergeStaticTerms(
  old: StaticTerms | null,
  given: StaticGiven,
  skipsByDefault: boolean,
): StaticTerms {
  const dbName = given.db_name ?? old?.dbName ?? "";
  if (dbName === "") throw badRequest("database name is a required field");
  const username = given.username ?? "";
  if (username === "") throw badRequest("username is a required field to create a static account");
  if (old !== null && username !== old.username) throw badRequest("cannot update static account username");
  if (username.length > USERNAME_CHARS_MAX || !username.isWellFormed()) {
    throw badRequest(`username must be text of at most ${USERNAME_CHARS_MAX} characters`);
  }
  const credentialType = given.credential_type ?? old?.credentialType ?? "password";
  const credentialConfig = given.credential_config ?? old?.credentialConfig ?? {};
  checkCredential(credentialType, credentialConfig);
  return {
    dbName,
    username,
    rotationStatements: given.rotation_statements ?? old?.rotationStatements ?? [],
    times: mergeTimes(old?.times ?? NO_ROTATION, given),
    credentialType,
    credentialConfig,
    skipsImportRotation: given.skip_import_rotation ?? old?.skipsImportRotation ?? skipsByDefault,
  };
}

/** Setting one of period and schedule clears the other, and the window with the schedule. */
function mergeTimes(old: RotationTimes, given: StaticGiven): RotationTimes {
  const { rotation_period: period, rotation_schedule: schedule, rotation_window: window } = given;
  if (period !== undefined && schedule !== undefined) throw badRequest(BOTH_GIVEN);
  if (period !== undefined) {
    if (period < PERIOD_SECONDS_MIN) {
      throw badRequest(`rotation_period must be ${PERIOD_SECONDS_MIN} seconds or more`);
    }
    if (window !== undefined) throw badRequest("rotation_window is invalid with use of rotation_period");
    return { periodSeconds: period, schedule: "", windowSeconds: 0 };
  }
  const merged =
    schedule === undefined ? old : { periodSeconds: 0, schedule, windowSeconds: old.windowSeconds };
  if (schedule !== undefined) checkSchedule(schedule, "could not parse rotation_schedule");
  if (merged.periodSeconds === 0 && merged.schedule === "") {
    throw badRequest(
      "one of rotation_schedule or rotation_period must be provided to create a static account",
    );
  }
  if (window === undefined) return merged;
  if (merged.schedule === "") throw badRequest("rotation_window is invalid with use of rotation_period");
  if (window < WINDOW_SECONDS_MIN) throw badRequest("rotation_window is invalid");
  return { ...merged, windowSeconds: window };
}
