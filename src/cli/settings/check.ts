import { resolve } from "node:path";
import { parseDurationMs } from "../../base/duration.ts";
import { messageOf } from "../../base/errors.ts";
import { parseAddress } from "../../client/address.ts";
import { SETTINGS, type Setting } from "../../contract/settings.ts";
import { didYouMean } from "../dispatch.ts";
import { localFailure } from "../failure.ts";

/** The setting of that name. @throws CommandFailure (exit 1) for an unknown one. */
export function settingNamed(name: string): Setting {
  const found = SETTINGS.find((setting) => setting.name === name);
  if (found !== undefined) return found;
  const names = SETTINGS.map((setting) => setting.name);
  const advice = didYouMean(name, names) || `There are: ${names.join(", ")}.`;
  throw localFailure(`Unknown setting ${JSON.stringify(name)}. ${advice}`);
}

/** A value as it is kept: a path is made absolute. @throws CommandFailure (exit 1) for one that the setting cannot have. */
export function checkedValue({ name, kind }: Setting, value: string): string {
  const refuse = (why: string, cause?: unknown): Error =>
    localFailure(`Invalid value for ${name}: ${why}`, cause);
  if (value === "") throw refuse("it is empty; to take a setting away use `vsec config unset`");
  if (typeof kind !== "string") {
    if (!kind.includes(value)) throw refuse(`${JSON.stringify(value)} is none of: ${kind.join(", ")}`);
    return value;
  }
  try {
    if (kind === "address") parseAddress(value);
    if (kind === "duration") parseDurationMs(value);
  } catch (error) {
    throw refuse(messageOf(error), error);
  }
  return kind === "path" ? resolve(value) : value;
}
