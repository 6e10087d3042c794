import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { JsonObject } from "../../base/json.ts";
import type { Random } from "../../base/random.ts";
import type { EngineStorage, EngineWrite } from "../../framework/storage.ts";
import type { KeyType, RsaType } from "./key-types.ts";

/** One version of a key as it is stored. */
export interface MaterialRecord {
  readonly v: 1;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /**
   * Base64: the bytes of a symmetric key, the 32-byte seed of an ed25519 key, the PKCS #8 DER of others. Null: only the public
   * half was imported.
   */
  readonly secret: string | null;
  /** Base64 of the SubjectPublicKeyInfo DER; null for symmetric keys. */
  readonly publicKey: string | null;
  /** Base64 of the key for HMACs: 32 bytes of its own, and for keys of type hmac the key itself. */
  readonly hmacKey: string;
  /** Certificates in PEM, the key's own first; null: none was set. */
  readonly certificateChain: string | null;
}

const HMAC_KEY_BYTES = 32;
/** RFC 8410 section 7: a PKCS #8 key up to the 32-byte seed. */
const ED25519_PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const ED25519_SPKI_PREFIX_BYTES = 12;

const generate = promisify(generateKeyPair) as (
  type: string,
  options: object,
) => Promise<{ privateKey: KeyObject; publicKey: KeyObject }>;

/** Where a version of a key is stored. */
function materialEntry(id: string, version: number): string {
  return `version/${id}/${version}`;
}

/** @returns Null: there is no such version. */
export async function readMaterial(
  storage: EngineStorage,
  id: string,
  version: number,
): Promise<MaterialRecord | null> {
  const entry = await storage.get(materialEntry(id, version));
  return entry === null ? null : (entry.value as unknown as MaterialRecord);
}

export function materialWrite(id: string, version: number, material: MaterialRecord): EngineWrite {
  return { op: "put", key: materialEntry(id, version), value: material as unknown as JsonObject };
}

export function materialRemoval(id: string, version: number): EngineWrite {
  return { op: "delete", key: materialEntry(id, version) };
}

/** Makes the material of a new version. @param keyBytes - Of a key of type hmac. */
export async function newMaterial(
  type: KeyType,
  keyBytes: number,
  random: Random,
  now: number,
): Promise<MaterialRecord> {
  switch (type.family) {
    case "aead":
      return symmetricMaterial(Buffer.from(random.bytes(type.keyBytes)), random, now);
    case "hmac":
      return hmacMaterial(Buffer.from(random.bytes(keyBytes)), now);
    case "ed25519":
      return privateMaterial(type, ed25519Key(random.bytes(32)), random, now);
    case "ecdsa": {
      const { privateKey } = await generate("ec", { namedCurve: type.curve });
      return privateMaterial(type, privateKey, random, now);
    }
    case "rsa":
      return privateMaterial(type, await newRsaKey(type), random, now);
  }
}

async function newRsaKey({ bits }: Pick<RsaType, "bits">): Promise<KeyObject> {
  return (await generate("rsa", { modulusLength: bits, publicExponent: 65537 })).privateKey;
}

export function symmetricMaterial(key: Buffer, random: Random, now: number): MaterialRecord {
  return {
    v: 1,
    createdAt: now,
    secret: key.toString("base64"),
    publicKey: null,
    hmacKey: Buffer.from(random.bytes(HMAC_KEY_BYTES)).toString("base64"),
    certificateChain: null,
  };
}

export function hmacMaterial(key: Buffer, now: number): MaterialRecord {
  const secret = key.toString("base64");
  return { v: 1, createdAt: now, secret, publicKey: null, hmacKey: secret, certificateChain: null };
}

export function privateMaterial(
  type: KeyType,
  privateKey: KeyObject,
  random: Random,
  now: number,
): MaterialRecord {
  const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
  const secret = type.family === "ed25519" ? pkcs8.subarray(-32) : pkcs8;
  const publicHalf = publicMaterial(createPublicKey(privateKey), random, now);
  return { ...publicHalf, secret: secret.toString("base64") };
}

/** The material of a version of which only the public half is known. */
export function publicMaterial(publicKey: KeyObject, random: Random, now: number): MaterialRecord {
  return {
    v: 1,
    createdAt: now,
    secret: null,
    publicKey: publicKey.export({ format: "der", type: "spki" }).toString("base64"),
    hmacKey: Buffer.from(random.bytes(HMAC_KEY_BYTES)).toString("base64"),
    certificateChain: null,
  };
}

/** The private key of a version. @param secret - {@link MaterialRecord.secret}, decoded. */
export function privateKeyOf(type: KeyType, secret: Uint8Array): KeyObject {
  if (type.family === "ed25519") return ed25519Key(secret);
  return createPrivateKey({ key: Buffer.from(secret), format: "der", type: "pkcs8" });
}

/** The private key of a seed of 32 bytes (RFC 8032 section 5.1.5). */
export function ed25519Key(seed: Uint8Array): KeyObject {
  return createPrivateKey({
    key: Buffer.concat([ED25519_PKCS8_PREFIX, seed]),
    format: "der",
    type: "pkcs8",
  });
}

/** The 32 bytes of an Ed25519 public key. */
export function ed25519PublicBytes(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: "der", type: "spki" }).subarray(ED25519_SPKI_PREFIX_BYTES);
}

export function publicKeyOf(spki: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
}

/** What people call the public half of a type: `P-256`, `ed25519`, `rsa-2048`. */
export function publicKeyName(type: Exclude<KeyType, { family: "aead" | "hmac" }>): string {
  return type.family === "ecdsa" ? type.curve : type.name;
}

const NODE_CURVES = { "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1" } as const;

/** Whether an asymmetric key is one of the type. */
export function fitsType(type: KeyType, key: KeyObject): boolean {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = key;
  switch (type.family) {
    case "ed25519":
      return kind === "ed25519";
    case "ecdsa":
      return kind === "ec" && details?.namedCurve === NODE_CURVES[type.curve];
    case "rsa":
      return kind === "rsa" && details?.modulusLength === type.bits;
    case "aead":
    case "hmac":
      return false;
  }
}
