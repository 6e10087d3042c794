import { badRequest } from "../base/errors.ts";

const PAIRS_MAX = 64;
const KEY_CHARS_MAX = 128;
const VALUE_BYTES_MAX = 512;

/**
 * Checks metadata that people attach to something.
 * @param what - What the message calls it: `metadata`, `custom_metadata`.
 * @throws ApiError 400 above 64 pairs, or for an empty key, one of more than 128 characters or a value of more than 512 bytes.
 * @see reference: identity basics.
 */
export function checkMetadata(what: string, metadata: Readonly<Record<string, string>>): void {
  const pairs = Object.entries(metadata);
  if (pairs.length > PAIRS_MAX)
    throw badRequest(`${what} has ${pairs.length} pairs; at most ${PAIRS_MAX} are allowed`);
  for (const [key, value] of pairs) {
    if (key === "" || key.length > KEY_CHARS_MAX || /[^\P{C}]/u.test(key)) {
      throw badRequest(`a key of ${what} is empty, unprintable or longer than ${KEY_CHARS_MAX} characters`);
    }
    if (Buffer.byteLength(value) > VALUE_BYTES_MAX) {
      throw badRequest(
        `the value of ${what} key ${JSON.stringify(key)} is longer than ${VALUE_BYTES_MAX} bytes`,
      );
    }
  }
}
