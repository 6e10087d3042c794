import { createCipheriv, createHash, createHmac, pbkdf2Sync } from "node:crypto";
import type { Random } from "../../../base/random.ts";
import {
  type Asn1,
  nothing,
  octetString,
  oid,
  sequence,
  setOf,
  smallInteger,
  TAG,
  tagged,
  taggedBytes,
  toDer,
  universal,
} from "./asn1.ts";

export interface Pkcs12Contents {
  /** The DER of the private key, PKCS#8. */
  readonly privateKey: Uint8Array;
  /** DER. */
  readonly certificate: Uint8Array;
  /** The DER of the authorities above it, nearest first. */
  readonly chain: readonly Uint8Array[];
  /** What key stores show it as; Java calls it the alias. */
  readonly friendlyName: string;
}

const OID = {
  data: "1.2.840.113549.1.7.1",
  encryptedData: "1.2.840.113549.1.7.6",
  shroudedKeyBag: "1.2.840.113549.1.12.10.1.2",
  certBag: "1.2.840.113549.1.12.10.1.3",
  x509Certificate: "1.2.840.113549.1.9.22.1",
  friendlyName: "1.2.840.113549.1.9.20",
  localKeyId: "1.2.840.113549.1.9.21",
  pbes2: "1.2.840.113549.1.5.13",
  pbkdf2: "1.2.840.113549.1.5.12",
  hmacSha256: "1.2.840.113549.2.9",
  aes256Cbc: "2.16.840.1.101.3.4.1.42",
  sha256: "2.16.840.1.101.3.4.2.1",
} as const;

/** As Java's and OpenSSL's own key stores have it, or more: the password of a bundle is short-lived, its reader may be slow. */
const ITERATIONS = 10_000;
const SALT_BYTES = 16;

/**
 * Builds a PKCS#12 bundle: PBES2 with AES-256-CBC and HMAC-SHA-256 for what it holds, HMAC-SHA-256 over all of it. OpenSSL
 * from 1.1 and Java from 8u301 open it.
 * @returns DER.
 * @see RFC 7292
 */
export function buildPkcs12(contents: Pkcs12Contents, password: string, random: Random): Buffer {
  const { certificate, chain, friendlyName } = contents;
  const keyId = createHash("sha1").update(certificate).digest();
  const attributes = setOf(
    attribute(OID.friendlyName, universal(TAG.bmpString, friendlyName)),
    attribute(OID.localKeyId, octetString(keyId)),
  );
  const shrouded = encrypt(contents.privateKey, password, random);
  const keys = sequence(
    bag(OID.shroudedKeyBag, sequence(shrouded.algorithm, octetString(shrouded.ciphertext)), attributes),
  );
  const certificates = sequence(
    certificateBag(certificate, attributes),
    ...chain.map((it) => certificateBag(it)),
  );
  const safe = toDer(
    sequence(encryptedContent(toDer(certificates), password, random), dataContent(toDer(keys))),
  );
  return toDer(sequence(smallInteger(3), dataContent(safe), macData(safe, password, random)));
}

function attribute(type: string, value: Asn1): Asn1 {
  return sequence(oid(type), setOf(value));
}

function bag(type: string, value: Asn1, attributes?: Asn1): Asn1 {
  return sequence(oid(type), tagged(0, value), ...(attributes === undefined ? [] : [attributes]));
}

function certificateBag(certificate: Uint8Array, attributes?: Asn1): Asn1 {
  return bag(
    OID.certBag,
    sequence(oid(OID.x509Certificate), tagged(0, octetString(certificate))),
    attributes,
  );
}

function dataContent(bytes: Uint8Array): Asn1 {
  return sequence(oid(OID.data), tagged(0, octetString(bytes)));
}

function encryptedContent(bytes: Uint8Array, password: string, random: Random): Asn1 {
  const { algorithm, ciphertext } = encrypt(bytes, password, random);
  const content = sequence(oid(OID.data), algorithm, taggedBytes(0, ciphertext));
  return sequence(oid(OID.encryptedData), tagged(0, sequence(smallInteger(0), content)));
}

/** PBES2. @see RFC 8018, section 6.2 */
function encrypt(
  bytes: Uint8Array,
  password: string,
  random: Random,
): { algorithm: Asn1; ciphertext: Buffer } {
  const salt = random.bytes(SALT_BYTES);
  const iv = random.bytes(16);
  const key = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256");
  const cipher = createCipheriv("aes-256-cbc", key, iv);
  const ciphertext = Buffer.concat([cipher.update(bytes), cipher.final()]);
  key.fill(0);
  const parameters = sequence(
    octetString(salt),
    smallInteger(ITERATIONS),
    sequence(oid(OID.hmacSha256), nothing()),
  );
  const algorithm = sequence(
    oid(OID.pbes2),
    sequence(sequence(oid(OID.pbkdf2), parameters), sequence(oid(OID.aes256Cbc), octetString(iv))),
  );
  return { algorithm, ciphertext };
}

function macData(bytes: Uint8Array, password: string, random: Random): Asn1 {
  const salt = random.bytes(SALT_BYTES);
  const key = deriveMacKey(password, salt);
  const mac = createHmac("sha256", key).update(bytes).digest();
  key.fill(0);
  return sequence(
    sequence(sequence(oid(OID.sha256), nothing()), octetString(mac)),
    octetString(salt),
    smallInteger(ITERATIONS),
  );
}

/** The diversifier of keys for a MAC, and the block size of SHA-256. @see RFC 7292, appendix B */
const MAC_ID = 3;
const BLOCK_BYTES = 64;

/** PKCS#12's own key derivation. A MAC key is as long as one hash, so that one round of it is all there is. */
function deriveMacKey(password: string, salt: Uint8Array): Buffer {
  const secret = Buffer.concat([Buffer.from(password, "utf16le").swap16(), Buffer.of(0, 0)]);
  const input = Buffer.concat([Buffer.alloc(BLOCK_BYTES, MAC_ID), repeated(salt), repeated(secret)]);
  let hash = createHash("sha256").update(input).digest();
  for (let round = 1; round < ITERATIONS; round++) hash = createHash("sha256").update(hash).digest();
  secret.fill(0);
  input.fill(0);
  return hash;
}

/** The bytes over and over, up to a whole number of blocks. */
function repeated(bytes: Uint8Array): Buffer {
  return Buffer.alloc(Math.ceil(bytes.length / BLOCK_BYTES) * BLOCK_BYTES, bytes);
}
