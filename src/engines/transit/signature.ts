import {
  createHash,
  createPublicKey,
  type KeyObject,
  sign as signNative,
  verify as verifyNative,
} from "node:crypto";
import { decodeBase64, decodeBase64Url } from "../../base/base64.ts";
import { badRequest } from "../../base/errors.ts";
import { takeVersioned, versioned, versionToUse } from "./choose-version.ts";
import { deriveKey } from "./derive.ts";
import { decodeDer, type EcdsaHalves, encodeDer, signEcdsa, type ToSign, verifyEcdsa } from "./ecdsa.ts";
import { MISSING_CONTEXT } from "./encryption.ts";
import { decodedContext } from "./fields.ts";
import { canSign, type EcdsaType, type Ed25519Type } from "./key-types.ts";
import { ed25519Key, ed25519PublicBytes } from "./material.ts";
import type { TransitMount } from "./mount.ts";
import type { StoredKey } from "./record.ts";
import { signRsa, verifyRsa } from "./rsa-signature.ts";
import type { SigningOptions } from "./signing-options.ts";
import type { KeyVersion } from "./versions.ts";

/** A signature, and what made it. */
export interface Signed {
  readonly signature: string;
  readonly version: number;
  /** Base64 of the public key; of derived ed25519 keys only, else empty. */
  readonly publicKey: string;
}

/** @param wanted - The key's version; 0: the latest. @throws ApiError 400 with Vault's texts. */
export async function sign(
  mount: TransitMount,
  key: StoredKey,
  input: Buffer,
  wanted: number,
  context: string | undefined,
  options: SigningOptions,
): Promise<Signed> {
  const { type, record } = key;
  if (!canSign(type)) throw badRequest(`key type ${type.name} does not support signing`);
  const number = versionToUse(record, wanted, "signing");
  const version = await mount.versions.get(key, number);
  const done = (bytes: Buffer, publicKey = ""): Signed => {
    const body = bytes.toString(options.marshaling === "jws" ? "base64url" : "base64");
    return { signature: versioned(number, body), version: number, publicKey };
  };
  if (type.family === "ed25519") {
    const privateKey = ed25519PrivateKey(key, type, version, context);
    const publicKey = record.derived
      ? ed25519PublicBytes(createPublicKey(privateKey)).toString("base64")
      : "";
    return done(signNative(null, input, privateKey), publicKey);
  }
  if (type.family === "ecdsa") {
    const halves = await signEcdsa(type, version.privateKey, toSign(input, options));
    return done(marshal(halves, options));
  }
  const salt = (length: number) => mount.context.random.bytes(length);
  return done(signRsa(version.privateKey, options.hash, digestFor(input, options), options.scheme, salt));
}

/** Whether a signature is one of this input by this key. @throws ApiError 400 for a malformed one. */
export async function verify(
  mount: TransitMount,
  key: StoredKey,
  input: Buffer,
  signature: string,
  context: string | undefined,
  options: SigningOptions,
): Promise<boolean> {
  const { type, record } = key;
  if (!canSign(type)) throw badRequest(`key type ${type.name} does not support verification`);
  const taken = takeVersioned(record, signature, "invalid signature");
  const bytes = decodedSignature(taken.body, options);
  const version = await mount.versions.get(key, taken.version);
  if (type.family === "ed25519") {
    const publicKey = record.derived
      ? createPublicKey(ed25519PrivateKey(key, type, version, context))
      : version.publicKey;
    return bytes.length === 64 && verifyNative(null, input, publicKey, bytes);
  }
  if (type.family === "ecdsa") {
    return verifyEcdsa(type, version.publicKey, toSign(input, options), unmarshal(type, bytes, options));
  }
  return verifyRsa(version.publicKey, options.hash, digestFor(input, options), options.scheme, bytes);
}

function decodedSignature(body: string, { marshaling }: SigningOptions): Buffer {
  try {
    return marshaling === "jws" ? decodeBase64Url(body) : decodeBase64(body);
  } catch (error) {
    throw badRequest("invalid base64 signature value", error);
  }
}

function ed25519PrivateKey(
  { record }: StoredKey,
  type: Ed25519Type,
  version: KeyVersion,
  context: string | undefined,
): KeyObject {
  if (!record.derived) return version.privateKey;
  if (context === undefined || context === "") throw badRequest(MISSING_CONTEXT);
  return ed25519Key(deriveKey(type, version.secret, decodedContext(context), false).key);
}

function toSign(input: Buffer, { hash, prehashed }: SigningOptions): ToSign {
  if (hash === null) throw badRequest("hash_algorithm=none is for RSA keys only");
  return { hash, input, isDigest: prehashed };
}

function digestFor(input: Buffer, { hash, prehashed }: SigningOptions): Buffer {
  if (hash === null) return input;
  if (!prehashed) return createHash(hash.node).update(input).digest();
  if (input.length !== hash.bytes) throw badRequest("crypto/rsa: input must be hashed message");
  return input;
}

function marshal(halves: EcdsaHalves, { marshaling }: SigningOptions): Buffer {
  return marshaling === "jws" ? Buffer.concat([halves.r, halves.s]) : encodeDer(halves);
}

function unmarshal(type: EcdsaType, bytes: Buffer, { marshaling }: SigningOptions): EcdsaHalves {
  if (marshaling === "asn1") return decodeDer(type, bytes);
  const { fieldBytes } = type;
  if (bytes.length !== 2 * fieldBytes) throw badRequest("supplied signature is invalid");
  return { r: bytes.subarray(0, fieldBytes), s: bytes.subarray(fieldBytes) };
}
