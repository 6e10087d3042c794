/**
 * Cron expressions as Vault reads them: five fields (minute, hour, day of month, month, day of week) in UTC, by the rules of
 * the Go library that Vault uses (robfig/cron, standard fields). They are narrower than most cron libraries': Sunday is 0 and
 * never 7, there are no `L`, `W` or `#`, and no `@daily`.
 */

interface CronField {
  readonly min: number;
  readonly max: number;
  /** Names that stand for numbers, counted from `min`. */
  readonly names: readonly string[];
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const MINUTE: CronField = { min: 0, max: 59, names: [] };
const HOUR: CronField = { min: 0, max: 23, names: [] };
const DAY_OF_MONTH: CronField = { min: 1, max: 31, names: [] };
const MONTH: CronField = { min: 1, max: 12, names: MONTHS };
const DAY_OF_WEEK: CronField = { min: 0, max: 6, names: DAYS };

/** Which values a field allows, and whether it was left open with a star. */
interface Allowed {
  readonly values: ReadonlySet<number>;
  readonly isOpen: boolean;
}

/** A parsed expression. */
export interface CronSchedule {
  readonly minutes: Allowed;
  readonly hours: Allowed;
  readonly daysOfMonth: Allowed;
  readonly months: Allowed;
  readonly daysOfWeek: Allowed;
}

const EXPRESSION_CHARS_MAX = 1024;
const MINUTE_MS = 60_000;
/** A schedule that has no time within so many years has none. */
const YEARS_MAX = 5;

/**
 * Parses a cron expression.
 * @throws SyntaxError saying what is wrong, in the words of Vault's library where it has any.
 */
export function parseCron(text: string): CronSchedule {
  if (text.length > EXPRESSION_CHARS_MAX) {
    throw new SyntaxError(`longer than ${EXPRESSION_CHARS_MAX} characters`);
  }
  const fields = text.split(/\s+/).filter((part) => part !== "");
  if (fields.length === 0) throw new SyntaxError("empty spec string");
  const [minute, hour, day, month, weekday] = fields;
  if (
    fields.length !== 5 ||
    minute === undefined ||
    hour === undefined ||
    day === undefined ||
    month === undefined ||
    weekday === undefined
  ) {
    throw new SyntaxError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`);
  }
  return {
    minutes: parseField(minute, MINUTE),
    hours: parseField(hour, HOUR),
    daysOfMonth: parseField(day, DAY_OF_MONTH),
    months: parseField(month, MONTH),
    daysOfWeek: parseField(weekday, DAY_OF_WEEK),
  };
}

function parseField(text: string, field: CronField): Allowed {
  const ranges = text.split(",").filter((part) => part !== "");
  if (ranges.length === 0) throw new SyntaxError(`a field without a value: ${text}`);
  const parsed = ranges.map((range) => parseRange(range, field));
  return {
    values: new Set(parsed.flatMap(({ values }) => values)),
    isOpen: parsed.some(({ isOpen }) => isOpen),
  };
}

/** `*`, `?`, `5`, `mon`, `1-5`, each also with a step: `*` + `/15`, `10-20/2`; `5/10` runs from 5 to the field's end. */
function parseRange(text: string, field: CronField): { values: number[]; isOpen: boolean } {
  const [bounds = "", stepText, ...moreSteps] = text.split("/");
  const [low = "", high, ...moreBounds] = bounds.split("-");
  if (moreSteps.length > 0) throw new SyntaxError(`too many slashes: ${text}`);
  if (moreBounds.length > 0) throw new SyntaxError(`too many hyphens: ${text}`);
  const isStar = low === "*" || low === "?";
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  if (step === 0) throw new SyntaxError(`step of range should be a positive number: ${text}`);
  const start = isStar ? field.min : parseValue(low, field);
  const end = endOf({ isStar, start, high, hasStep: stepText !== undefined }, field);
  checkBounds(start, end, field, text);
  const values: number[] = [];
  for (let value = start; value <= end; value += step) values.push(value);
  // With a step a star restricts like any list does, which matters for the two kinds of days.
  return { values, isOpen: isStar && step === 1 };
}

function endOf(
  range: {
    readonly isStar: boolean;
    readonly start: number;
    readonly high: string | undefined;
    readonly hasStep: boolean;
  },
  field: CronField,
): number {
  if (range.isStar) return field.max;
  if (range.high !== undefined) return parseValue(range.high, field);
  return range.hasStep ? field.max : range.start;
}

function checkBounds(start: number, end: number, { min, max }: CronField, text: string): void {
  if (start < min) throw new SyntaxError(`beginning of range (${start}) below minimum (${min}): ${text}`);
  if (end > max) throw new SyntaxError(`end of range (${end}) above maximum (${max}): ${text}`);
  if (start > end)
    throw new SyntaxError(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
}

function parseValue(text: string, { names, min }: CronField): number {
  const index = names.indexOf(text.toLowerCase());
  return index === -1 ? parseNumber(text) : index + min;
}

function parseNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new SyntaxError(`failed to parse int from ${text}`);
  return Number(text);
}

/**
 * The first whole minute after a moment that the schedule names.
 * @param afterMs - Milliseconds since the epoch.
 * @returns Milliseconds since the epoch; null: there is none within five years, as for the 30th of February.
 */
export function nextCronTime(schedule: CronSchedule, afterMs: number): number | null {
  let time = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS;
  const yearMax = new Date(time).getUTCFullYear() + YEARS_MAX;
  for (;;) {
    const date = new Date(time);
    const year = date.getUTCFullYear();
    if (year > yearMax) return null;
    const skipped = skipTo(schedule, date);
    if (skipped === null) return time;
    time = skipped;
  }
}

/** Where the largest unit that does not fit begins next. Null: all of them fit. */
function skipTo(schedule: CronSchedule, date: Date): number | null {
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  if (!schedule.months.values.has(month + 1)) return Date.UTC(year, month + 1, 1);
  if (!dayFits(schedule, date)) return Date.UTC(year, month, day + 1);
  const hour = date.getUTCHours();
  if (!schedule.hours.values.has(hour)) return Date.UTC(year, month, day, hour + 1);
  return schedule.minutes.values.has(date.getUTCMinutes()) ? null : date.getTime() + MINUTE_MS;
}

/** Where both kinds of days are restricted, either is enough. */
function dayFits({ daysOfMonth, daysOfWeek }: CronSchedule, date: Date): boolean {
  const byMonth = daysOfMonth.values.has(date.getUTCDate());
  const byWeek = daysOfWeek.values.has(date.getUTCDay());
  return daysOfMonth.isOpen || daysOfWeek.isOpen ? byMonth && byWeek : byMonth || byWeek;
}
