import { createSecretKey, hkdfSync, type KeyObject } from "node:crypto";

/** Length of every symmetric key here, in bytes. */
export const KEY_BYTES = 32;

/**
 * A key for one purpose, from another key: HKDF-SHA-256 (RFC 5869).
 * @param key - 32 random bytes.
 * @param purpose - The `info` of HKDF; differs for every use of `key`.
 * @param salt - Names the store where one key may serve several; empty otherwise.
 */
export function deriveBytes(key: Uint8Array, purpose: string, salt: string, length: number): Buffer {
  return Buffer.from(hkdfSync("sha256", key, salt, purpose, length));
}

/** Like {@link deriveBytes}, as a key object, which is made once and used many times. */
export function deriveKey(key: Uint8Array, purpose: string, salt = ""): KeyObject {
  return createSecretKey(deriveBytes(key, purpose, salt, KEY_BYTES));
}
