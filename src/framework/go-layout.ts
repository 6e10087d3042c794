const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

/** What stands for a part of the time in a layout of Go's `time` package: the parts of its reference time. */
const PART =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|__2|_2(?!006)|002|0[1-6]|15|[1-5]|PM|pm|([-Z])07(?:(:?)00(\2)00|(:?)00)?|[.,](?:0+|9+)(?!\d)/g;

/**
 * Writes a time, in UTC, in a layout as Go's `time.Format` takes it: `2006-01-02T15:04:05Z07:00`.
 * @param ms - Milliseconds since the epoch; what a layout shows beyond them is zeros.
 */
export function formatGoTime(layout: string, ms: number): string {
  const time = new Date(ms);
  return layout.replace(PART, (part) => PARTS[part]?.(time) ?? zoneOrFraction(part, time));
}

const pad = (value: number, width = 2): string => String(value).padStart(width, "0");
const hour12 = (time: Date): number => time.getUTCHours() % 12 || 12;
const half = (time: Date): string => (time.getUTCHours() < 12 ? "AM" : "PM");
const monthName = (time: Date): string => MONTHS[time.getUTCMonth()] ?? "";
const dayName = (time: Date): string => DAYS[time.getUTCDay()] ?? "";
const dayOfYear = (time: Date): number =>
  Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;

const PARTS: Readonly<Record<string, (time: Date) => string>> = {
  January: monthName,
  Jan: (time) => monthName(time).slice(0, 3),
  "01": (time) => pad(time.getUTCMonth() + 1),
  "1": (time) => String(time.getUTCMonth() + 1),
  Monday: dayName,
  Mon: (time) => dayName(time).slice(0, 3),
  "02": (time) => pad(time.getUTCDate()),
  _2: (time) => String(time.getUTCDate()).padStart(2),
  "2": (time) => String(time.getUTCDate()),
  "002": (time) => pad(dayOfYear(time), 3),
  __2: (time) => String(dayOfYear(time)).padStart(3),
  "15": (time) => pad(time.getUTCHours()),
  "03": (time) => pad(hour12(time)),
  "3": (time) => String(hour12(time)),
  "04": (time) => pad(time.getUTCMinutes()),
  "4": (time) => String(time.getUTCMinutes()),
  "05": (time) => pad(time.getUTCSeconds()),
  "5": (time) => String(time.getUTCSeconds()),
  "2006": (time) => pad(time.getUTCFullYear(), 4),
  "06": (time) => pad(time.getUTCFullYear() % 100),
  PM: half,
  pm: (time) => half(time).toLowerCase(),
  MST: () => "UTC",
};

/** `Z07:00` and its kin are `Z` in UTC, `-07:00` and its kin an offset of zero; the rest are fractions of a second. */
function zoneOrFraction(part: string, time: Date): string {
  if (part.startsWith("Z")) return "Z";
  if (part.startsWith("-")) return part.replace("-", "+").replace("7", "0");
  const digits = pad(time.getUTCMilliseconds(), 3)
    .padEnd(part.length - 1, "0")
    .slice(0, part.length - 1);
  if (part[1] === "0") return `${part[0]}${digits}`;
  // Nines leave the zeros at the end out, and the point with the last of them.
  const kept = digits.replace(/0+$/, "");
  return kept === "" ? "" : `${part[0]}${kept}`;
}
