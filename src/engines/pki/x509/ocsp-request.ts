import { createHash } from "node:crypto";
import {
  type Asn1,
  bitsOf,
  bytesOf,
  DerError,
  fromDer,
  isTagged,
  isUniversal,
  magnitudeOf,
  oidOf,
  partsOf,
  TAG,
  toDer,
} from "./asn1.ts";
import type { Certificate } from "./certificate.ts";
import { decodeExtensions, findExtension } from "./extensions.ts";
import { OID } from "./oids.ts";

/** Vault reads no more. @see reference: PKI, OCSP */
export const OCSP_REQUEST_BYTES_MAX = 2048;
/** Certificates that one request may ask for. */
const ASKED_MAX = 32;
/** @see RFC 9654, section 2.1 */
const NONCE_BYTES_MAX = 128;

export const OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2";

const HASHES: Readonly<Record<string, string>> = {
  [OID.sha1]: "sha1",
  [OID.sha256]: "sha256",
  [OID.sha384]: "sha384",
  [OID.sha512]: "sha512",
};

/** A certificate that is asked for. */
export interface AskedCertificate {
  /** The DER of the CertID, which the answer repeats. */
  readonly certId: Buffer;
  /** What issuer and key are hashed with, as node:crypto names it; null: an algorithm that is not known here. */
  readonly hash: string | null;
  readonly issuerNameHash: Buffer;
  readonly issuerKeyHash: Buffer;
  /** In hex, without leading zeros that DER adds. */
  readonly serial: string;
}

export interface OcspRequest {
  readonly asked: readonly AskedCertificate[];
  /** The DER of the nonce extension's value, which the answer repeats. Null: there was none. */
  readonly nonce: Buffer | null;
}

/**
 * Reads an OCSP request. A signature that may be on it is not looked at: everybody may ask.
 * @throws DerError for one that is malformed, too long, or asks for nothing or for more than 32 certificates.
 * @see RFC 6960 section 4.1.1
 */
export function parseOcspRequest(der: Uint8Array): OcspRequest {
  if (der.length > OCSP_REQUEST_BYTES_MAX) throw new DerError("an OCSP request of more than 2048 bytes");
  const fields = partsOf(partsOf(fromDer(der), WHAT)[0], WHAT);
  const list = fields.find((it) => isUniversal(it, TAG.sequence));
  const asked = partsOf(list, WHAT).map((it) => askedCertificate(partsOf(it, WHAT)[0]));
  if (asked.length === 0 || asked.length > ASKED_MAX)
    throw new DerError(`an OCSP request for ${asked.length} certificates`);
  return { asked, nonce: nonceIn(fields.find((it) => isTagged(it, 2))) };
}

const WHAT = "OCSP request";

function askedCertificate(element: Asn1 | undefined): AskedCertificate {
  const [algorithm, nameHash, keyHash, serial] = partsOf(element, WHAT);
  if (!isUniversal(element, TAG.sequence)) throw new DerError(`malformed ${WHAT}`);
  return {
    certId: toDer(element),
    hash: HASHES[oidOf(partsOf(algorithm, WHAT)[0], WHAT)] ?? null,
    issuerNameHash: bytesOf(nameHash, WHAT),
    issuerKeyHash: bytesOf(keyHash, WHAT),
    serial: magnitudeOf(serial, WHAT).toString("hex"),
  };
}

function nonceIn(wrapped: Asn1 | undefined): Buffer | null {
  if (wrapped === undefined) return null;
  const list = partsOf(wrapped, WHAT)[0];
  if (list === undefined) throw new DerError(`malformed ${WHAT}`);
  const value = findExtension(decodeExtensions(list), OCSP_NONCE)?.value;
  if (value === undefined) return null;
  if (value.length === 0 || value.length > NONCE_BYTES_MAX + 3)
    throw new DerError("the nonce of an OCSP request is empty or too long");
  return value;
}

/** Whether a certificate that is asked for is said to come from this issuer. */
export function isFromIssuer(
  { hash, issuerNameHash, issuerKeyHash }: AskedCertificate,
  issuer: Pick<Certificate, "subject" | "publicKey">,
): boolean {
  if (hash === null) return false;
  const hashOf = (bytes: Uint8Array): Buffer => createHash(hash).update(bytes).digest();
  return hashOf(issuer.subject).equals(issuerNameHash) && hashOf(publicKeyBits(issuer)).equals(issuerKeyHash);
}

/** The bits of a public key without what says of which kind it is: what OCSP hashes (RFC 6960 section 4.1.1). */
function publicKeyBits({ publicKey }: Pick<Certificate, "publicKey">): Buffer {
  return bitsOf(partsOf(fromDer(publicKey), "public key")[1], "public key");
}
