import { timingSafeEqual } from "node:crypto";
import { badRequest } from "../../base/errors.ts";

/** A key of 32 bytes, or a share of one with its coordinate. @see reference: init and unseal. */
const KEY_BYTES_MIN = 16;
const KEY_BYTES_MAX = 33;

const HEX = /^(?:[0-9a-f]{2})+$/i;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * The bytes of a share, as people give it.
 * @param prefix - What stands before the words about its length.
 * @throws ApiError 400 when it is neither hex nor base64, or too short or long for a share.
 */
export function decodePart(text: string, prefix: string): Uint8Array {
  const bytes = bytesOf(text.trim());
  if (bytes === undefined) throw badRequest("'key' must be a valid hex or base64 string");
  if (bytes.length < KEY_BYTES_MIN)
    throw badRequest(`${prefix}key is shorter than minimum ${KEY_BYTES_MIN} bytes`);
  if (bytes.length > KEY_BYTES_MAX)
    throw badRequest(`${prefix}key is longer than maximum ${KEY_BYTES_MAX} bytes`);
  return bytes;
}

function bytesOf(text: string): Uint8Array | undefined {
  // Hex first, as in Vault: 64 or 66 digits of it are base64 as well, and mean something else there.
  if (HEX.test(text)) return Buffer.from(text, "hex");
  return BASE64.test(text) && text.length % 4 === 0 ? Buffer.from(text, "base64") : undefined;
}

/** The parts of a key that were given so far. In memory only: they are gone with the process. */
export class Parts {
  #parts: Uint8Array[] = [];

  get count(): number {
    return this.#parts.length;
  }

  /** False: it was given before. */
  add(part: Uint8Array): boolean {
    if (this.#parts.some((one) => one.length === part.length && timingSafeEqual(one, part))) return false;
    this.#parts.push(part);
    return true;
  }

  /** Gives out all of them, and begins anew. The caller wipes them. */
  take(): readonly Uint8Array[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  /** Forgets them. */
  clear(): void {
    wipe(this.take());
  }
}

/** Overwrites keys, as far as that can be done here. */
export function wipe(keys: readonly Uint8Array[]): void {
  for (const key of keys) key.fill(0);
}
