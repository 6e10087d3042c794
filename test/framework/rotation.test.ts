import { describe, expect, test } from "bun:test";
import { badRequest } from "../../src/base/errors.ts";
import {
  BOTH_GIVEN,
  isInWindow,
  mergeRootRotation,
  NO_ROOT_ROTATION,
  nextRootRotation,
  nextRotation,
  secondsUntil,
} from "../../src/framework/rotation.ts";

const HOUR_MS = 3_600_000;

describe("the times of a root rotation", () => {
  test("stay where nothing is given, and a period and a schedule replace each other", () => {
    const nightly = mergeRootRotation(NO_ROOT_ROTATION, {
      rotation_schedule: "0 3 * * *",
      rotation_window: 3600,
    });
    expect(nightly).toEqual({
      periodSeconds: 0,
      schedule: "0 3 * * *",
      windowSeconds: 3600,
      isDisabled: false,
    });
    expect(mergeRootRotation(nightly, {})).toEqual(nightly);
    const hourly = mergeRootRotation(nightly, { rotation_period: 3600 });
    expect(hourly).toEqual({ periodSeconds: 3600, schedule: "", windowSeconds: 0, isDisabled: false });
    expect(mergeRootRotation(hourly, { rotation_schedule: "0 3 * * *" }).periodSeconds).toBe(0);
    expect(mergeRootRotation(hourly, { rotation_period: 0 }).periodSeconds).toBe(0);
  });

  test.each([
    [{ rotation_period: 60, rotation_schedule: "* * * * *" }, BOTH_GIVEN],
    [{ rotation_period: 60, rotation_window: 3600 }, "rotation_window does not apply to period"],
    [{ rotation_window: 3600 }, "must include both schedule and window"],
    [
      { rotation_schedule: "random string" },
      "failed to parse provided rotation_schedule: expected exactly 5 fields, found 2: [random string]",
    ],
    [
      { rotation_schedule: "0 0 30 2 *" },
      "failed to parse provided rotation_schedule: it has no time: 0 0 30 2 *",
    ],
  ])("%j is refused: %s", (given, text) => {
    expect(() => mergeRootRotation(NO_ROOT_ROTATION, given)).toThrow(badRequest(text));
  });

  test("have no next one while they are disabled", () => {
    const times = mergeRootRotation(NO_ROOT_ROTATION, {
      rotation_period: 60,
      disable_automated_rotation: true,
    });
    expect(nextRootRotation(times, 0)).toBeNull();
    expect(nextRootRotation({ ...times, isDisabled: false }, 5000)).toBe(65_000);
    expect(nextRootRotation(NO_ROOT_ROTATION, 0)).toBeNull();
  });
});

describe("a rotation that is due", () => {
  const scheduled = { periodSeconds: 0, schedule: "0 3 * * *", windowSeconds: 3600 };

  test("may begin until its window closes", () => {
    expect(isInWindow(scheduled, 0, HOUR_MS - 1)).toBe(true);
    expect(isInWindow(scheduled, 0, HOUR_MS)).toBe(false);
    expect(isInWindow({ ...scheduled, windowSeconds: 0 }, 0, 100 * HOUR_MS)).toBe(true);
  });

  test("is followed by the schedule's next time", () => {
    expect(nextRotation(scheduled, 3 * HOUR_MS)).toBe(27 * HOUR_MS);
  });

  test("leaves its credential whole seconds, never less than none", () => {
    expect(secondsUntil(1499, 0)).toBe(1);
    expect(secondsUntil(0, 5000)).toBe(0);
  });
});
