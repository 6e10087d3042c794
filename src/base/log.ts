import type { Json } from "./json.ts";

/** Fields of a log line. Values never hold secrets. */
export type LogFields = Readonly<Record<string, Json | undefined>>;

/** Structured logging as a port: the daemon writes lines, a command stays silent, a test collects. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const nothing = (): undefined => undefined;

/** A log that keeps nothing. */
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
