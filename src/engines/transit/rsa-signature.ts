import { constants, type KeyObject, privateEncrypt, publicDecrypt, timingSafeEqual } from "node:crypto";
import { badRequest } from "../../base/errors.ts";
import { encodePss, saltBytesMax, verifyPss } from "./emsa-pss.ts";
import type { HashAlgorithm } from "./hashes.ts";

/** How an RSA key signs. */
export interface RsaScheme {
  readonly algorithm: "pss" | "pkcs1v15";
  /** Of pss: as long as the key allows, as long as the hash, or so many bytes. */
  readonly salt: "auto" | "hash" | number;
}

const RAW = { padding: constants.RSA_NO_PADDING };

/**
 * Signs a digest.
 * @param hash - Null: PKCS #1 v1.5 over the input alone, without naming a hash function.
 * @param newSalt - Random bytes, as many as asked for.
 * @throws ApiError 400 for a salt, or an input, that does not fit the key. @see RFC 8017 sections 8.1 and 8.2
 */
export function signRsa(
  key: KeyObject,
  hash: HashAlgorithm | null,
  digest: Buffer,
  scheme: RsaScheme,
  newSalt: (length: number) => Uint8Array,
): Buffer {
  const bits = bitsOf(key);
  const encoded =
    scheme.algorithm === "pss"
      ? encodePss(needHash(hash), digest, Buffer.from(newSalt(saltBytes(scheme, needHash(hash), bits))), bits)
      : encodePkcs1(hash, digest, bits);
  return privateEncrypt({ key, ...RAW }, encoded);
}

/** Whether a signature is one of this digest. */
export function verifyRsa(
  key: KeyObject,
  hash: HashAlgorithm | null,
  digest: Buffer,
  scheme: RsaScheme,
  signature: Buffer,
): boolean {
  const bits = bitsOf(key);
  if (signature.length !== Math.ceil(bits / 8)) return false;
  const encoded = applied(key, signature);
  if (encoded === null) return false;
  if (scheme.algorithm === "pss") {
    const wanted = scheme.salt === "auto" ? null : saltBytes(scheme, needHash(hash), bits);
    return verifyPss(needHash(hash), digest, encoded, wanted, bits);
  }
  const expected = encodePkcs1(hash, digest, bits);
  return timingSafeEqual(encoded, expected);
}

/** What a signature stands for. Null: it is no number below the modulus. */
function applied(key: KeyObject, signature: Buffer): Buffer | null {
  try {
    return publicDecrypt({ key, ...RAW }, signature);
  } catch {
    return null;
  }
}

function needHash(hash: HashAlgorithm | null): HashAlgorithm {
  if (hash !== null) return hash;
  throw badRequest("hash_algorithm=none requires both prehashed=true and signature_algorithm=pkcs1v15");
}

function bitsOf(key: KeyObject): number {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits === undefined) throw new TypeError("not an RSA key");
  return bits;
}

function saltBytes({ salt }: RsaScheme, hash: HashAlgorithm, bits: number): number {
  const max = saltBytesMax(hash, bits);
  const wanted = salt === "auto" ? max : salt === "hash" ? hash.bytes : salt;
  if (wanted < 0 || wanted > max) throw badRequest(`requested salt length ${wanted} is invalid`);
  return wanted;
}

/** RFC 8017 section 9.2: 00 01, at least eight FF, 00, and the digest with the name of its hash. */
function encodePkcs1(hash: HashAlgorithm | null, digest: Buffer, bits: number): Buffer {
  const info = hash === null ? digest : Buffer.concat([hash.digestInfo, digest]);
  const length = Math.ceil(bits / 8);
  if (info.length > length - 11) throw badRequest("crypto/rsa: message too long for RSA key size");
  const filler = Buffer.alloc(length - info.length - 3, 0xff);
  return Buffer.concat([Buffer.from([0x00, 0x01]), filler, Buffer.from([0x00]), info]);
}
