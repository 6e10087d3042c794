/** What a key of one type can do, and how. */
export type KeyType = AeadType | HmacType | EcdsaType | Ed25519Type | RsaType;

export interface AeadType {
  readonly family: "aead";
  readonly name: string;
  readonly cipher: "aes-128-gcm" | "aes-256-gcm" | "chacha20-poly1305" | "xchacha20-poly1305";
  readonly keyBytes: 16 | 32;
  readonly nonceBytes: 12 | 24;
}

export interface HmacType {
  readonly family: "hmac";
  readonly name: "hmac";
}

export interface EcdsaType {
  readonly family: "ecdsa";
  readonly name: string;
  readonly curve: "P-256" | "P-384" | "P-521";
  /** Bytes of a coordinate, and so of each half of a signature. */
  readonly fieldBytes: number;
}

export interface Ed25519Type {
  readonly family: "ed25519";
  readonly name: "ed25519";
}

export interface RsaType {
  readonly family: "rsa";
  readonly name: string;
  readonly bits: number;
}

const aead = (
  name: string,
  cipher: AeadType["cipher"],
  keyBytes: 16 | 32,
  nonceBytes: 12 | 24 = 12,
): AeadType => ({ family: "aead", name, cipher, keyBytes, nonceBytes });

const ecdsa = (name: string, curve: EcdsaType["curve"], fieldBytes: number): EcdsaType => ({
  family: "ecdsa",
  name,
  curve,
  fieldBytes,
});

const rsa = (bits: number): RsaType => ({ family: "rsa", name: `rsa-${bits}`, bits });

/** @see reference: transit, key types. */
const KEY_TYPES: readonly KeyType[] = [
  aead("aes128-gcm96", "aes-128-gcm", 16),
  aead("aes256-gcm96", "aes-256-gcm", 32),
  aead("chacha20-poly1305", "chacha20-poly1305", 32),
  aead("xchacha20-poly1305", "xchacha20-poly1305", 32, 24),
  { family: "ed25519", name: "ed25519" },
  ecdsa("ecdsa-p256", "P-256", 32),
  ecdsa("ecdsa-p384", "P-384", 48),
  ecdsa("ecdsa-p521", "P-521", 66),
  rsa(2048),
  rsa(3072),
  rsa(4096),
  { family: "hmac", name: "hmac" },
];

export const KEY_TYPE_DEFAULT = "aes256-gcm96";

export const KEY_TYPE_NAMES: readonly string[] = KEY_TYPES.map(({ name }) => name);

const BY_NAME: ReadonlyMap<string, KeyType> = new Map(KEY_TYPES.map((type) => [type.name, type]));

/** Undefined: there is no such type here. */
export function findKeyType(name: string): KeyType | undefined {
  return BY_NAME.get(name);
}

export function canEncrypt(type: KeyType): type is AeadType | RsaType {
  return type.family === "aead" || type.family === "rsa";
}

export function canSign(type: KeyType): type is EcdsaType | Ed25519Type | RsaType {
  return isAsymmetric(type);
}

export function isAsymmetric(type: KeyType): type is EcdsaType | Ed25519Type | RsaType {
  return type.family === "ecdsa" || type.family === "ed25519" || type.family === "rsa";
}

/** Whether a key of its own can be derived for each context. */
export function canDerive(type: KeyType): type is AeadType | Ed25519Type {
  return type.family === "aead" || type.family === "ed25519";
}

export const HMAC_KEY_BYTES_MIN = 32;
export const HMAC_KEY_BYTES_MAX = 512;
