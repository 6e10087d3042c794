import { badRequest } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import { nextCronTime, parseCron } from "./cron.ts";
import { field, type Given } from "./field.ts";

/** When a credential is replaced: at intervals, or at the times of a schedule, or never by itself. */
export interface RotationTimes {
  /** 0: not at intervals. */
  readonly periodSeconds: number;
  /** A cron expression in UTC; "": none. */
  readonly schedule: string;
  /** With a schedule: how long after its time a rotation that could not be done may still begin; 0: for ever. */
  readonly windowSeconds: number;
}

export const NO_ROTATION: RotationTimes = { periodSeconds: 0, schedule: "", windowSeconds: 0 };

/** The fields that {@link RotationTimes} are read from. @see reference: database config and static roles. */
export const ROTATION_FIELDS = {
  rotation_period: field.duration({
    description: "How long after a rotation the next one is due. Not together with rotation_schedule.",
  }),
  rotation_schedule: field.string({
    description: "When rotations are due: a cron expression of five fields, in UTC.",
  }),
  rotation_window: field.duration({
    description: "How long after its scheduled time a rotation may still begin; 0 for as long as it takes.",
  }),
};

/** {@link ROTATION_FIELDS}, and the switch that configurations of a root credential have besides. */
export const ROOT_ROTATION_FIELDS = {
  ...ROTATION_FIELDS,
  disable_automated_rotation: field.bool({
    description: "Keeps the times, and stops the rotations until it is taken back.",
  }),
};

/** How the root credential of a configuration is rotated by itself. */
export interface RootRotationTimes extends RotationTimes {
  readonly isDisabled: boolean;
}

export const NO_ROOT_ROTATION: RootRotationTimes = { ...NO_ROTATION, isDisabled: false };

export const BOTH_GIVEN =
  "mutually exclusive fields rotation_period and rotation_schedule were both specified; only one of them can be provided";

/**
 * The times after a write to the configuration of a root credential. What is not given stays; setting one of period and
 * schedule clears the other.
 * @throws ApiError 400 with Vault's texts.
 */
export function mergeRootRotation(
  old: RootRotationTimes,
  given: Given<typeof ROOT_ROTATION_FIELDS>,
): RootRotationTimes {
  const {
    rotation_period: period = 0,
    rotation_schedule: schedule = "",
    rotation_window: window = 0,
  } = given;
  if (period !== 0 && schedule !== "") throw badRequest(BOTH_GIVEN);
  if (period !== 0 && window !== 0) throw badRequest("rotation_window does not apply to period");
  if (schedule !== "") checkSchedule(schedule, "failed to parse provided rotation_schedule");
  const merged: RootRotationTimes = {
    periodSeconds: schedule === "" ? (given.rotation_period ?? old.periodSeconds) : 0,
    schedule: period === 0 ? (given.rotation_schedule ?? old.schedule) : "",
    windowSeconds: period === 0 ? (given.rotation_window ?? old.windowSeconds) : 0,
    isDisabled: given.disable_automated_rotation ?? old.isDisabled,
  };
  if (merged.windowSeconds !== 0 && merged.schedule === "") {
    throw badRequest("must include both schedule and window");
  }
  return merged;
}

/** How a configuration shows its times. */
export function describeRootRotation(times: RootRotationTimes): JsonObject {
  return {
    disable_automated_rotation: times.isDisabled,
    rotation_period: times.periodSeconds,
    rotation_schedule: times.schedule,
    rotation_window: times.windowSeconds,
  };
}

/** @param refusal - What the error begins with. @throws ApiError 400 for an expression that is none, or has no time. */
export function checkSchedule(schedule: string, refusal: string): void {
  try {
    // The start is any moment: within five years each calendar comes around, but for the 29th of February before 2100.
    if (nextCronTime(parseCron(schedule), 0) === null) throw new SyntaxError(`it has no time: ${schedule}`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw badRequest(`${refusal}: ${error.message}`, error);
  }
}

/**
 * When the next rotation is due.
 * @param after - When the last one was, or for want of one the present. Milliseconds since the epoch.
 * @returns Milliseconds since the epoch; null: never.
 */
export function nextRotation(times: RotationTimes, after: number): number | null {
  if (times.schedule !== "") return nextCronTime(parseCron(times.schedule), after);
  return times.periodSeconds > 0 ? after + times.periodSeconds * 1000 : null;
}

/** {@link nextRotation} for a root credential: null too while its rotation is disabled. */
export function nextRootRotation(times: RootRotationTimes, after: number): number | null {
  return times.isDisabled ? null : nextRotation(times, after);
}

/**
 * Whether a rotation that is due may still begin. One whose window has closed waits for the schedule's next time.
 * @param dueAt - When it was due. Milliseconds since the epoch.
 */
export function isInWindow({ schedule, windowSeconds }: RotationTimes, dueAt: number, now: number): boolean {
  return schedule === "" || windowSeconds === 0 || now < dueAt + windowSeconds * 1000;
}

/** Seconds until a moment, rounded, never negative: the `ttl` of a credential that is rotated then. */
export function secondsUntil(moment: number, now: number): number {
  return Math.max(0, Math.round((moment - now) / 1000));
}
