import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";

const PAIRS_MAX = 64;
const KEY_BYTES_MAX = 128;
const VALUE_BYTES_MAX = 512;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

/** Metadata of a secret as a request gives them. In a patch, null stands for a key that goes. */
export function readCustomMetadata(given: JsonObject): Readonly<Record<string, string | null>> {
  for (const [key, value] of Object.entries(given)) {
    if (value !== null && typeof value !== "string") {
      throw refused(`value for key ${JSON.stringify(key)} is not a string`);
    }
  }
  return given as Readonly<Record<string, string | null>>;
}

/** What is left of metadata after a patch. */
export function patchCustomMetadata(
  present: Readonly<Record<string, string>> | null,
  changes: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string>> {
  const merged = { ...present, ...changes };
  return Object.fromEntries(
    Object.entries(merged).filter((pair): pair is [string, string] => pair[1] !== null),
  );
}

/**
 * @throws ApiError 400 for too many pairs, a key or value that is empty or too long, or not printable.
 * @see reference: key/value, custom_metadata.
 */
export function checkCustomMetadata(metadata: Readonly<Record<string, string>>): void {
  const pairs = Object.entries(metadata);
  if (pairs.length > PAIRS_MAX) {
    throw refused(`payload must contain at most ${PAIRS_MAX} keys, provided ${pairs.length}`);
  }
  for (const [key, value] of pairs) {
    const quoted = JSON.stringify(key);
    checkLength(`length of key ${quoted}`, "key", key, KEY_BYTES_MAX);
    checkLength(`length of value for key ${quoted}`, "value", value, VALUE_BYTES_MAX);
    if (UNPRINTABLE.test(key)) throw refused(`key ${quoted} contains unprintable characters`);
    if (UNPRINTABLE.test(value)) throw refused(`value for key ${quoted} contains unprintable characters`);
  }
}

function checkLength(what: string, name: string, text: string, max: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > 0 && bytes <= max) return;
  throw refused(`${what} is ${bytes} but must be 0 < len(${name}) <= ${max}`);
}

function refused(why: string): Error {
  return badRequest(`custom_metadata validation failed: ${why}`);
}
