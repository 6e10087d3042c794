const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** The longest duration accepted, in seconds: what Go's 64-bit nanoseconds can hold, about 292 years. */
const SECONDS_MAX = 9_223_372_036;

/**
 * Parses a duration as Vault does: whole seconds (`3600`), whole days (`30d`), or Go units, combined (`1h30m`, `1.5h`).
 * The empty string is 0.
 * @returns Milliseconds; negative when the text has a minus sign.
 * @throws SyntaxError with a text like Go's for anything else.
 */
export function parseDurationMs(text: string): number {
  const trimmed = text.trim();
  if (trimmed === "") return 0;
  const ms = parseWhole(trimmed) ?? parseGo(trimmed);
  if (Math.abs(ms) > SECONDS_MAX * 1000)
    throw new SyntaxError(`time: invalid duration ${JSON.stringify(text)}`);
  return ms;
}

function parseWhole(text: string): number | undefined {
  const match = /^([+-]?\d+)(d?)$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * (match[2] === "d" ? 86_400_000 : 1000);
}

function parseGo(text: string): number {
  const sign = text.startsWith("-") ? -1 : 1;
  const body = text.replace(/^[+-]/, "");
  const parts =
    /^(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*$/;
  if (!parts.test(body)) {
    const missing = /^[\d.]+$/.test(body) && /\d/.test(body);
    throw new SyntaxError(
      `time: ${missing ? "missing unit in" : "invalid"} duration ${JSON.stringify(text)}`,
    );
  }
  let ms = 0;
  for (const [, amount, unit] of body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    ms += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  return sign * ms;
}

/** Parses like {@link parseDurationMs} and drops fractions of a second, as Vault does with fields of this type. */
export function parseDurationSeconds(text: string): number {
  return Math.trunc(parseDurationMs(text) / 1000);
}

/** Whole seconds in Go's form, as requests carry them: `1h0m0s`, `1m30s`, `0s`. */
export function formatGoDuration(seconds: number): string {
  const sign = seconds < 0 ? "-" : "";
  const whole = Math.abs(Math.trunc(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = whole % 60;
  if (hours > 0) return `${sign}${hours}h${minutes}m${rest}s`;
  return minutes > 0 ? `${sign}${minutes}m${rest}s` : `${sign}${rest}s`;
}

/** Whole seconds for people: Go's form without its zero tails, as in `1h`, `1m30s`, `768h`, `0s`. */
export function formatDuration(seconds: number): string {
  const text = formatGoDuration(seconds);
  return text.replace(/([hm])0s$/, "$1").replace("h0m", "h");
}
