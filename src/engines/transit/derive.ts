import { createHmac, hkdfSync } from "node:crypto";
import type { AeadType, Ed25519Type } from "./key-types.ts";

/** A key for one context, and for convergent encryption the key that nonces are made with. */
export interface DerivedKey {
  readonly key: Buffer;
  /** Empty unless asked for. */
  readonly nonceKey: Buffer;
}

const NONCE_KEY_BYTES = 32;

/**
 * The key of a context: HKDF with SHA-256 (RFC 5869), the version's key as secret, no salt, the context as info. A convergent
 * key takes 32 bytes more of the same stream.
 * @see reference: transit, key derivation.
 */
export function deriveKey(
  type: AeadType | Ed25519Type,
  secret: Uint8Array,
  context: Uint8Array,
  isConvergent: boolean,
): DerivedKey {
  const keyBytes = type.family === "aead" ? type.keyBytes : 32;
  const length = keyBytes + (isConvergent ? NONCE_KEY_BYTES : 0);
  const stream = Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), context, length));
  return { key: stream.subarray(0, keyBytes), nonceKey: stream.subarray(keyBytes) };
}

/**
 * The nonce of convergent encryption, so that the same plaintext under the same context gives the same ciphertext.
 *
 * Without additional data it is Vault's: the first bytes of the HMAC-SHA256 of the plaintext. With additional data Vault's
 * would be the same nonce for different data, and two tags under one nonce give GCM's authentication key away: here the
 * data are part of what is hashed. The nonce is in front of the ciphertext, so each reads what the other wrote.
 */
export function convergentNonce(
  type: AeadType,
  nonceKey: Uint8Array,
  plaintext: Uint8Array,
  additional: Uint8Array,
): Buffer {
  const hmac = createHmac("sha256", nonceKey);
  if (additional.length > 0) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(additional.length));
    hmac.update("associated data").update(length).update(additional);
  }
  return hmac.update(plaintext).digest().subarray(0, type.nonceBytes);
}
