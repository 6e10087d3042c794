import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { nextCronTime, parseCron } from "../../src/framework/cron.ts";

function next(expression: string, after: string): string | null {
  const time = nextCronTime(parseCron(expression), Date.parse(after));
  return time === null ? null : new Date(time).toISOString();
}

describe("the next time of a cron expression", () => {
  test.each([
    ["* * * * *", "2026-01-01T00:00:30Z", "2026-01-01T00:01:00.000Z"],
    ["0 0 * * *", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00.000Z"],
    ["*/15 * * * *", "2026-01-01T00:14:59Z", "2026-01-01T00:15:00.000Z"],
    ["7/20 * * * *", "2026-01-01T00:08:00Z", "2026-01-01T00:27:00.000Z"],
    ["30 2 1 * *", "2026-01-31T03:00:00Z", "2026-02-01T02:30:00.000Z"],
    ["0 0 31 * *", "2026-04-01T00:00:00Z", "2026-05-31T00:00:00.000Z"],
    ["0 22 * * SAT", "2026-11-28T22:00:00Z", "2026-12-05T22:00:00.000Z"],
    ["0 9 ? jan-mar MON-fri", "2026-03-31T10:00:00Z", "2027-01-01T09:00:00.000Z"],
    ["0 0 29 2 *", "2026-03-01T00:00:00Z", "2028-02-29T00:00:00.000Z"],
    ["0,30 8-10/2 * * *", "2026-01-01T08:30:00Z", "2026-01-01T10:00:00.000Z"],
  ])("%s after %s is %s", (expression, after, expected) => {
    expect(next(expression, after)).toBe(expected);
  });

  test("either kind of day is enough where both are restricted, and both are needed where one is open", () => {
    // 2026-06-05 is a Friday, the 13th of June a Saturday.
    expect(next("0 0 13 * fri", "2026-06-05T00:00:00Z")).toBe("2026-06-12T00:00:00.000Z");
    expect(next("0 0 13 * *", "2026-06-05T00:00:00Z")).toBe("2026-06-13T00:00:00.000Z");
    // A star with a step restricts.
    expect(next("0 0 13 * */6", "2026-06-08T00:00:00Z")).toBe("2026-06-13T00:00:00.000Z");
    expect(next("0 0 */10 * fri", "2026-06-06T00:00:00Z")).toBe("2026-06-11T00:00:00.000Z");
  });

  test("is null where there is none", () => {
    expect(next("0 0 30 2 *", "2026-01-01T00:00:00Z")).toBeNull();
  });

  test("is the first minute, by looking at each, that the fields allow", () => {
    const range = (min: number, max: number) =>
      fc.oneof(
        fc.constant("*"),
        fc.integer({ min, max }).map(String),
        fc
          .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
          .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
        fc.integer({ min: 1, max: 7 }).map((step) => `*/${step}`),
      );
    const fields = fc.tuple(range(0, 59), range(0, 23), range(1, 31), range(1, 12), range(0, 6));
    fc.assert(
      fc.property(fields, fc.integer({ min: 0, max: 4e12 }), (texts, after) => {
        const schedule = parseCron(texts.join(" "));
        const found = nextCronTime(schedule, after);
        if (found === null) return;
        expect(found).toBeGreaterThan(after);
        expect(found % 60_000).toBe(0);
        // A minute that fits is its own successor's; none between fits, or it would have been found from there.
        expect(nextCronTime(schedule, found - 1)).toBe(found);
        const between = after + Math.floor((found - after) / 2);
        expect(nextCronTime(schedule, Math.min(between, found - 1))).toBe(found);
      }),
      { numRuns: 300 },
    );
  });
});

describe("an expression is refused", () => {
  test.each([
    ["", "empty spec string"],
    ["* * * *", "expected exactly 5 fields, found 4: [* * * *]"],
    ["0 * * * * *", "expected exactly 5 fields, found 6: [0 * * * * *]"],
    ["@daily", "expected exactly 5 fields, found 1: [@daily]"],
    ["60 * * * *", "end of range (60) above maximum (59): 60"],
    ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
    ["* * * * 7", "end of range (7) above maximum (6): 7"],
    ["5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"],
    ["*/0 * * * *", "step of range should be a positive number: */0"],
    ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
    ["1/2/3 * * * *", "too many slashes: 1/2/3"],
    ["x * * * *", "failed to parse int from x"],
    ["-1 * * * *", "failed to parse int from "],
    [", * * * *", "a field without a value: ,"],
  ])("%p: %s", (expression, message) => {
    expect(() => parseCron(expression)).toThrow(new SyntaxError(message));
  });
});
