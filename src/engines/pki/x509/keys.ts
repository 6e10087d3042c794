import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { bitsOf, fromDer, sequenceParts } from "./asn1.ts";
import { pem } from "./pem.ts";

export type KeyType = "rsa" | "ec" | "ed25519";

/** What a key is: its type, and its size in bits (0 for ed25519, which has one). */
export interface KeyKind {
  readonly type: KeyType;
  readonly bits: number;
}

const CURVES: ReadonlyMap<number, string> = new Map([
  [224, "secp224r1"],
  [256, "prime256v1"],
  [384, "secp384r1"],
  [521, "secp521r1"],
]);
const CURVE_BITS: ReadonlyMap<string, number> = new Map([...CURVES].map(([bits, name]) => [name, bits]));

const RSA_BITS: ReadonlySet<number> = new Set([2048, 3072, 4096, 8192]);

const generate = promisify(generateKeyPair) as unknown as (
  type: string,
  options: Readonly<Record<string, unknown>>,
) => Promise<{ readonly privateKey: KeyObject; readonly publicKey: KeyObject }>;

/** What is wrong with a kind of key in Vault's words; null: it can be made. @param bits - 0: the type's default. */
export function keyKindProblem(type: string, bits: number): string | null {
  if (type === "rsa" && bits !== 0 && !RSA_BITS.has(bits)) {
    return bits < 2048
      ? "RSA keys < 2048 bits are unsafe and not supported"
      : `unsupported bit length for RSA key: ${bits}`;
  }
  if (type === "ec" && bits !== 0 && !CURVES.has(bits)) return `unsupported bit length for EC key: ${bits}`;
  return type === "rsa" || type === "ec" || type === "ed25519" ? null : `unknown key type: ${type}`;
}

/** The kind with its default size filled in. @param type - One that {@link keyKindProblem} takes. */
export function keyKind(type: string, bits: number): KeyKind {
  if (type === "rsa") return { type, bits: bits === 0 ? 2048 : bits };
  if (type === "ec") return { type, bits: bits === 0 ? 256 : bits };
  return { type: "ed25519", bits: 0 };
}

/** Makes a key of a kind. RSA takes a moment, which does not hold up anything else. */
export async function generateKey({ type, bits }: KeyKind): Promise<KeyObject> {
  if (type === "rsa") return (await generate("rsa", { modulusLength: bits })).privateKey;
  if (type === "ec") return (await generate("ec", { namedCurve: CURVES.get(bits) })).privateKey;
  return (await generate("ed25519", {})).privateKey;
}

/** The kind of a key, private or public; null for one that is not supported. */
export function kindOf(key: KeyObject): KeyKind | null {
  const details = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa") return { type: "rsa", bits: details.modulusLength ?? 0 };
  if (key.asymmetricKeyType === "ed25519") return { type: "ed25519", bits: 0 };
  if (key.asymmetricKeyType !== "ec") return null;
  const bits = CURVE_BITS.get(details.namedCurve ?? "");
  return bits === undefined ? null : { type: "ec", bits };
}

/** SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7). @param key - Private or public. */
export function publicKeyDer(key: KeyObject): Buffer {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ type: "spki", format: "der" });
}

/** @throws Error for bytes that are no key that is known here. */
export function readPublicKey(spki: Buffer): KeyObject {
  return createPublicKey({ key: spki, type: "spki", format: "der" });
}

/** The key id of a public key: the SHA-1 of its bits (RFC 5280 section 4.2.1.2, method 1). @param spki - In DER. */
export function keyIdOf(spki: Buffer): Buffer {
  const [, bits] = sequenceParts(fromDer(spki), "public key");
  return createHash("sha1").update(bitsOf(bits, "public key")).digest();
}

/** A private key as PKCS#8 in DER. */
export function toPkcs8(key: KeyObject): Buffer {
  return key.export({ type: "pkcs8", format: "der" });
}

export function fromPkcs8(der: Buffer): KeyObject {
  return createPrivateKey({ key: der, type: "pkcs8", format: "der" });
}

/** A private key as it is kept: PKCS#8 in DER, as base64. */
export function storedForm(key: KeyObject): string {
  return toPkcs8(key).toString("base64");
}

export function fromStoredForm(text: string): KeyObject {
  return fromPkcs8(Buffer.from(text, "base64"));
}

/** A private key of any of the forms PKCS#8, PKCS#1 and SEC 1; null for anything else, encrypted ones too. */
export function readPrivateKey(label: string, der: Buffer): KeyObject | null {
  try {
    if (label === "RSA PRIVATE KEY") return createPrivateKey({ key: der, type: "pkcs1", format: "der" });
    if (label === "EC PRIVATE KEY") return createPrivateKey({ key: der, type: "sec1", format: "der" });
    return label === "PRIVATE KEY" ? createPrivateKey({ key: der, type: "pkcs8", format: "der" }) : null;
  } catch {
    // What node:crypto says of it could quote the key.
    return null;
  }
}

const NATIVE_LABELS = { rsa: "RSA PRIVATE KEY", ec: "EC PRIVATE KEY", ed25519: "PRIVATE KEY" } as const;

/** A private key in DER. @param form - `pkcs8`, or the type's own: PKCS#1, SEC 1, and PKCS#8 for ed25519. */
export function privateKeyDer(key: KeyObject, form: "native" | "pkcs8"): Buffer {
  const type = key.asymmetricKeyType;
  if (form === "native" && type === "rsa") return key.export({ type: "pkcs1", format: "der" });
  if (form === "native" && type === "ec") return key.export({ type: "sec1", format: "der" });
  return key.export({ type: "pkcs8", format: "der" });
}

/** As {@link privateKeyDer}, in PEM. */
export function privateKeyPem(key: KeyObject, form: "native" | "pkcs8"): string {
  const type = (key.asymmetricKeyType ?? "ed25519") as KeyType;
  return pem(form === "pkcs8" ? "PRIVATE KEY" : NATIVE_LABELS[type], privateKeyDer(key, form));
}
