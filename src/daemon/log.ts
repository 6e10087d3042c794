import type { Clock } from "../base/clock.ts";
import type { Log, LogFields } from "../base/log.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = "standard" | "json";

/** Where lines go. */
export interface LineSink {
  write(text: string): unknown;
}

/** A log that writes one line a message, of the given level and above. */
export function lineLog(sink: LineSink, level: LogLevel, format: LogFormat, clock: Clock): Log {
  const least = LOG_LEVELS.indexOf(level);
  const at =
    (of: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (LOG_LEVELS.indexOf(of) < least) return;
      const time = new Date(clock.now()).toISOString();
      sink.write(
        `${format === "json" ? jsonLine(time, of, message, fields) : textLine(time, of, message, fields)}\n`,
      );
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function jsonLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  return JSON.stringify({ "@timestamp": time, "@level": level, "@message": message, ...fields });
}

function textLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  const text = pairs.map(([key, value]) => ` ${key}=${quote(String(value))}`).join("");
  return `${time} ${`[${level.toUpperCase()}]`.padEnd(7)} ${message}${text === "" ? "" : `:${text}`}`;
}

/** Values with spaces, quotes or line breaks are quoted, so that a line stays a line. */
function quote(value: string): string {
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
