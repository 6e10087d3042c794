import { constants, privateDecrypt, publicEncrypt } from "node:crypto";
import { badRequest } from "../../base/errors.ts";
import { open, seal } from "./aead.ts";
import type { Item } from "./batch.ts";
import { takeVersioned, versioned, versionToUse } from "./choose-version.ts";
import { convergentNonce, deriveKey } from "./derive.ts";
import { decoded, decodedContext, type Padding, paddingOf } from "./fields.ts";
import { type AeadType, canEncrypt, type RsaType } from "./key-types.ts";
import type { TransitMount } from "./mount.ts";
import type { StoredKey } from "./record.ts";
import { decryptPkcs1, encryptPkcs1, PKCS1_BYTES } from "./rsa-pkcs1.ts";
import type { KeyVersion } from "./versions.ts";

/** What is encrypted or decrypted besides the text itself. */
export type Circumstances = Pick<Item, "context" | "associated_data" | "nonce" | "padding_scheme">;

export const MISSING_CONTEXT =
  "missing 'context' for key derivation; the key was created using a derived key, which means additional, per-request " +
  "information must be included in order to perform operations with the key";

const NOTHING = Buffer.alloc(0);

/** A ciphertext and the version of the key that made it. */
export interface Encrypted {
  readonly ciphertext: string;
  readonly version: number;
}

/**
 * Encrypts.
 * @param wanted - The key's version; 0: the latest.
 * @throws ApiError 400 with Vault's texts. @see reference: transit, ciphertext on the wire.
 */
export async function encrypt(
  mount: TransitMount,
  key: StoredKey,
  plaintext: Uint8Array,
  wanted: number,
  circumstances: Circumstances,
): Promise<Encrypted> {
  const { type, record } = key;
  if (!canEncrypt(type)) throw badRequest(`message encryption not supported for key type ${type.name}`);
  const { context, additional, padding } = read(key, circumstances);
  const number = versionToUse(record, wanted, "encryption");
  const version = await mount.versions.get(key, number);
  const sealed =
    type.family === "rsa"
      ? encryptRsa(type, version, plaintext, padding)
      : await encryptAead(mount, key, type, version, plaintext, context, additional);
  return { ciphertext: versioned(number, sealed.toString("base64")), version: number };
}

/** Undoes {@link encrypt}. @throws ApiError 400 with Vault's texts. */
export async function decrypt(
  mount: TransitMount,
  key: StoredKey,
  ciphertext: string,
  circumstances: Circumstances,
): Promise<Buffer> {
  const { type, record } = key;
  if (!canEncrypt(type)) throw badRequest(`message decryption not supported for key type ${type.name}`);
  const { context, additional, padding } = read(key, circumstances);
  const taken = takeVersioned(record, ciphertext, "invalid ciphertext");
  const sealed = decodedBody(taken.body);
  const version = await mount.versions.get(key, taken.version);
  if (type.family === "rsa") return decryptRsa(version, sealed, padding);
  const { key: secret } = secretFor(key, type, version, context);
  return open(type, secret, sealed, additional);
}

function decodedBody(body: string): Buffer {
  try {
    return decoded(body, "");
  } catch (error) {
    throw badRequest("invalid ciphertext: could not decode base64", error);
  }
}

function read(
  { type, record }: StoredKey,
  { context, associated_data, nonce, padding_scheme }: Circumstances,
): { context: Buffer; additional: Buffer; padding: Padding } {
  if (nonce !== undefined && nonce !== "") throw badRequest("nonce provided when not allowed");
  const padding = type.family === "rsa" ? paddingOf(padding_scheme) : "oaep";
  if (record.derived && (context === undefined || context === "")) throw badRequest(MISSING_CONTEXT);
  const hasAdditional = associated_data !== undefined && associated_data !== "";
  if (hasAdditional && type.family !== "aead") {
    throw badRequest(`'associated_data' provided for non-AEAD cipher suite ${type.name}`);
  }
  const additional = hasAdditional
    ? decoded(associated_data, "failed to base64-decode associated_data")
    : NOTHING;
  return { context: decodedContext(context), additional, padding };
}

function secretFor(
  { record }: StoredKey,
  type: AeadType,
  version: KeyVersion,
  context: Buffer,
): { key: Buffer; nonceKey: Buffer } {
  if (!record.derived) return { key: version.secret, nonceKey: NOTHING };
  return deriveKey(type, version.secret, context, record.convergent);
}

async function encryptAead(
  { context: { random } }: TransitMount,
  key: StoredKey,
  type: AeadType,
  version: KeyVersion,
  plaintext: Uint8Array,
  context: Buffer,
  additional: Buffer,
): Promise<Buffer> {
  const { key: secret, nonceKey } = secretFor(key, type, version, context);
  const nonce = key.record.convergent
    ? convergentNonce(type, nonceKey, plaintext, additional)
    : random.bytes(type.nonceBytes);
  return seal(type, secret, nonce, plaintext, additional);
}

/** OAEP takes away two digests and two bytes (RFC 8017 section 7.1.1). */
const OAEP_BYTES = 2 * 32 + 2;
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };

function encryptRsa(type: RsaType, version: KeyVersion, plaintext: Uint8Array, padding: Padding): Buffer {
  if (plaintext.length > type.bits / 8 - (padding === "oaep" ? OAEP_BYTES : PKCS1_BYTES)) {
    throw badRequest("failed to RSA encrypt the plaintext: crypto/rsa: message too long for RSA key size");
  }
  if (padding === "pkcs1v15") return encryptPkcs1(version.publicKey, plaintext);
  return publicEncrypt({ key: version.publicKey, ...OAEP }, plaintext);
}

function decryptRsa({ privateKey }: KeyVersion, sealed: Uint8Array, padding: Padding): Buffer {
  try {
    if (padding === "pkcs1v15") return decryptPkcs1(privateKey, sealed);
    return privateDecrypt({ key: privateKey, ...OAEP }, sealed);
  } catch {
    // Why it failed is not for the caller to learn.
    throw badRequest("failed to RSA decrypt the ciphertext: crypto/rsa: decryption error");
  }
}
