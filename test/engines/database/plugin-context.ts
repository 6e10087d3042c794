/** What every plugin's tests share. */

import { randomBytes } from "node:crypto";
import { silentLog } from "../../../src/base/log.ts";
import type { DoomedUser, PluginContext } from "../../../src/engines/database/plugin.ts";

export const context: PluginContext = {
  clock: { now: () => Date.now(), sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
  random: { bytes: (length) => randomBytes(length) },
  log: silentLog,
};

export const HOUR_MS = 3_600_000;

/** Names for doomed users that go by the built-in plan. */
export function doomed(...usernames: readonly string[]): DoomedUser[] {
  return usernames.map((username) => ({ username, revocationStatements: [] }));
}

/** The error that the promise ends with. @throws when it does not. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("this should have failed");
}
