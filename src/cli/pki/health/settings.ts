import { parseDurationMs } from "../../../base/duration.ts";
import { isJsonObject, type Json, type JsonObject } from "../../../base/json.ts";
import { localFailure } from "../../failure.ts";

/** A check's configuration: `enabled`, and what is the check's own. */
export type Settings = JsonObject;

/** Reads settings as they may be written in a file: durations and numbers also as texts. */
export class SettingsReader {
  readonly #check: string;
  readonly #settings: Settings;

  constructor(check: string, settings: Settings) {
    this.#check = check;
    this.#settings = settings;
  }

  /** Milliseconds. @throws CommandFailure (exit 1) for what is no duration. */
  durationMs(name: string): number {
    const value = this.#settings[name];
    try {
      return parseDurationMs(String(value ?? ""));
    } catch (error) {
      throw this.#wrong(name, value, error);
    }
  }

  /** @throws CommandFailure (exit 1) for what is no whole number of the range. */
  count(name: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#settings[name];
    const number =
      typeof value === "number" ? value : /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
    if (!Number.isInteger(number) || number < min || number > max) throw this.#wrong(name, value);
    return number;
  }

  /** @throws CommandFailure (exit 1) for what is no list of texts. */
  list(name: string): readonly string[] {
    const value = this.#settings[name] ?? [];
    if (!Array.isArray(value)) throw this.#wrong(name, value);
    return value.map(String);
  }

  #wrong(name: string, value: Json | undefined, cause?: unknown): Error {
    return localFailure(
      `the health check setting ${this.#check}.${name} cannot be ${JSON.stringify(value ?? null)}`,
      cause,
    );
  }
}

/** Whether a value in a settings file, or in an answer, stands for yes. */
export function isYes(value: Json | undefined): boolean {
  return value === true || value === "true" || value === 1 || value === "1";
}

/**
 * The settings of all checks: the defaults, under what a file says.
 * @param isDefaultDisabled - Only checks that the file enables run.
 * @throws CommandFailure (exit 1) for a file that is no object of objects, or that knows a check which there is not.
 */
export function mergedSettings(
  defaults: Readonly<Record<string, Settings>>,
  file: Json,
  isDefaultDisabled: boolean,
): Readonly<Record<string, Settings>> {
  if (!isJsonObject(file)) throw localFailure("the health check configuration has to be a JSON object");
  for (const [name, settings] of Object.entries(file)) {
    if (!Object.hasOwn(defaults, name))
      throw localFailure(`there is no health check ${JSON.stringify(name)}`);
    if (!isJsonObject(settings))
      throw localFailure(`the health check configuration of ${name} has to be a JSON object`);
  }
  return Object.fromEntries(
    Object.entries(defaults).map(([name, settings]) => {
      const base = isDefaultDisabled ? { ...settings, enabled: false } : settings;
      const given = file[name];
      return [name, isJsonObject(given) ? { ...base, ...given } : base];
    }),
  );
}
