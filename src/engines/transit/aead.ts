import { createCipheriv, createDecipheriv } from "node:crypto";
import { badRequest } from "../../base/errors.ts";
import type { AeadType } from "./key-types.ts";

const TAG_BYTES = 16;

/**
 * Encrypts and authenticates.
 * @param additional - Authenticated with it, not encrypted, not part of the result; empty for none.
 * @returns Nonce, ciphertext and 16-byte tag, one after the other.
 * @see NIST SP 800-38D; RFC 8439 section 2.8; draft-irtf-cfrg-xchacha section 2.
 */
export async function seal(
  type: AeadType,
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  additional: Uint8Array,
): Promise<Buffer> {
  if (type.cipher === "aes-128-gcm" || type.cipher === "aes-256-gcm") {
    const cipher = createCipheriv(type.cipher, key, nonce);
    if (additional.length > 0) cipher.setAAD(additional);
    return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }
  const chacha = await chachaOf(type);
  return Buffer.concat([nonce, chacha(key, nonce, additional).encrypt(plaintext)]);
}

/**
 * Undoes {@link seal}.
 * @throws ApiError 400, with Go's texts: for something too short, and one for wrong key, additional data and damage alike.
 */
export async function open(
  type: AeadType,
  key: Uint8Array,
  sealed: Uint8Array,
  additional: Uint8Array,
): Promise<Buffer> {
  if (sealed.length < type.nonceBytes) throw badRequest("invalid ciphertext length");
  const nonce = sealed.subarray(0, type.nonceBytes);
  const body = sealed.subarray(type.nonceBytes);
  if (body.length < TAG_BYTES) throw notAuthentic(type);
  if (type.cipher === "aes-128-gcm" || type.cipher === "aes-256-gcm") {
    const decipher = createDecipheriv(type.cipher, key, nonce, { authTagLength: TAG_BYTES });
    if (additional.length > 0) decipher.setAAD(additional);
    decipher.setAuthTag(body.subarray(body.length - TAG_BYTES));
    const plaintext = decipher.update(body.subarray(0, body.length - TAG_BYTES));
    try {
      return Buffer.concat([plaintext, decipher.final()]);
    } catch {
      // Why it failed is not for the caller to learn.
      throw notAuthentic(type);
    }
  }
  const chacha = await chachaOf(type);
  try {
    return Buffer.from(chacha(key, nonce, additional).decrypt(body));
  } catch {
    throw notAuthentic(type);
  }
}

function notAuthentic({ cipher }: AeadType): Error {
  const prefix = cipher.startsWith("aes") ? "cipher" : "chacha20poly1305";
  return badRequest(`${prefix}: message authentication failed`);
}

/** Bun's node:crypto has no ChaCha20-Poly1305. */
async function chachaOf({ cipher }: AeadType) {
  const { chacha20poly1305, xchacha20poly1305 } = await import("@noble/ciphers/chacha.js");
  return cipher === "chacha20-poly1305" ? chacha20poly1305 : xchacha20poly1305;
}
