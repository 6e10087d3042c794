import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  privateDecrypt,
} from "node:crypto";
import { promisify } from "node:util";
import { decodeBase64 } from "../../base/base64.ts";
import { badRequest, hasCode } from "../../base/errors.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import type { TransitMount } from "./mount.ts";

const ENTRY = "wrapping-key";
const BITS = 4096;
/** Bytes of the encrypted AES key in front of a wrapped key. */
const WRAPPED_AES_BYTES = BITS / 8;
const AES_KEY_BYTES = 32;

/** Hash functions of OAEP by the names of Vault's `hash_function`, without regard to case and dashes. */
const OAEP_HASHES: ReadonlyMap<string, string> = new Map([
  ["SHA1", "sha1"],
  ["SHA224", "sha224"],
  ["SHA256", "sha256"],
  ["SHA384", "sha384"],
  ["SHA512", "sha512"],
]);

/** @throws ApiError 400 for a function that OAEP is not used with here. @returns As node:crypto calls it. */
export function oaepHash(name: string): string {
  const hash = OAEP_HASHES.get(name.toUpperCase().replaceAll("-", ""));
  if (hash === undefined) throw badRequest(`unsupported hash function name: ${name}`);
  return hash;
}

/** The mount's own key, which keys that are brought in are encrypted for. Made once, when it is first asked for. */
async function wrappingKey(storage: EngineStorage): Promise<KeyObject> {
  const stored = await storage.get(ENTRY);
  if (stored !== null) return parse(String(stored.value.pkcs8));
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: BITS });
  const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
  try {
    await storage.commit([{ op: "put", key: ENTRY, value: { v: 1, pkcs8 }, expect: 0 }]);
    return privateKey;
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    return wrappingKey(storage);
  }
}

function parse(pkcs8: string): KeyObject {
  return createPrivateKey({ key: Buffer.from(pkcs8, "base64"), format: "der", type: "pkcs8" });
}

/** `wrapping_key`. @see reference: transit, key paths. */
export function wrappingKeyPath({ context: { storage } }: TransitMount): PathSpec {
  return path({
    pattern: "wrapping_key",
    fields: {},
    help: { synopsis: "Show the public key that keys to import are encrypted for." },
    operations: {
      read: {
        summary: "Show the public key.",
        handler: async () => {
          const publicKey = createPublicKey(await wrappingKey(storage));
          return { data: { public_key: publicKey.export({ format: "pem", type: "spki" }).toString() } };
        },
      },
    },
  });
}

/**
 * Unwraps a key that was encrypted for {@link wrappingKey}: RSA-OAEP of an AES-256 key, and the key under AES-KWP.
 * @param ciphertext - Base64.
 * @param hash - OAEP's, as node:crypto calls it.
 * @returns The bytes of a symmetric key, or PKCS #8 DER.
 * @throws ApiError 400
 * @see reference: transit, import ciphertext; RFC 5649
 */
export async function unwrapKey(storage: EngineStorage, ciphertext: string, hash: string): Promise<Buffer> {
  let wrapped: Buffer;
  try {
    wrapped = decodeBase64(ciphertext);
  } catch (error) {
    throw badRequest("failed to base64-decode ciphertext", error);
  }
  if (wrapped.length <= WRAPPED_AES_BYTES) throw badRequest("provided ciphertext is too short");
  const key = await wrappingKey(storage);
  const { aeskwp } = await import("@noble/ciphers/aes.js");
  try {
    const aesKey = privateDecrypt(
      { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash },
      wrapped.subarray(0, WRAPPED_AES_BYTES),
    );
    if (aesKey.length !== AES_KEY_BYTES) throw badRequest(NOT_UNWRAPPED);
    try {
      return Buffer.from(aeskwp(aesKey).decrypt(wrapped.subarray(WRAPPED_AES_BYTES)));
    } finally {
      aesKey.fill(0);
    }
  } catch {
    // Which of the two failed is not for the caller to learn.
    throw badRequest(NOT_UNWRAPPED);
  }
}

const NOT_UNWRAPPED =
  "the ciphertext could not be unwrapped: it was encrypted for another wrapping key, or with another hash_function";
