import { VsecError } from "../base/errors.ts";

const KEY_CHARACTERS_SHOWN = 120;

/**
 * The error for an entry that cannot be trusted.
 * @param storedKey - Its key as the store shows it: an operator can find it there, and a log learns no name from it.
 */
export function damagedEntry(storedKey: string, what: string, cause?: unknown): VsecError {
  const shown =
    storedKey.length > KEY_CHARACTERS_SHOWN ? `${storedKey.slice(0, KEY_CHARACTERS_SHOWN)}…` : storedKey;
  return new VsecError("BARRIER_DAMAGED", `entry ${shown} of the store is damaged: ${what}`, { cause });
}
