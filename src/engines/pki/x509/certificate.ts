import type { KeyObject } from "node:crypto";
import {
  type Asn1,
  bitString,
  bitsOf,
  firstPartBytes,
  fromDer,
  integer,
  isTagged,
  magnitudeOf,
  partsOf,
  sequence,
  sequenceParts,
  smallInteger,
  tagged,
  time,
  timeOf,
  toDer,
} from "./asn1.ts";
import {
  type BasicConstraints,
  decodeExtensions,
  type Extension,
  encodeExtension,
  findExtension,
  readAuthorityKeyId,
  readBasicConstraints,
  readKeyUsage,
  readSubjectKeyId,
} from "./extensions.ts";
import { keyIdOf, readPublicKey } from "./keys.ts";
import { decodeName } from "./name.ts";
import { readNameConstraints } from "./name-constraints.ts";
import { OID } from "./oids.ts";
import { isSignedBy, type Signer } from "./signature.ts";

/** What a certificate is to say (RFC 5280 section 4.1). Names and key are in DER, times milliseconds since the epoch. */
export interface CertificateContent {
  /** Big-endian. */
  readonly serial: Uint8Array;
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  readonly extensions: readonly Extension[];
}

/** A signed structure: the bytes that are signed, how, and the signature. */
export function signedDer(content: Asn1, signer: Signer): Buffer {
  const signature = signer.sign(toDer(content));
  return toDer(sequence(content, signer.algorithm, bitString(signature)));
}

/** Makes a certificate of version 3. @returns In DER. */
export function buildCertificate(content: CertificateContent, signer: Signer): Buffer {
  const extensions = content.extensions.map(encodeExtension);
  const tbs = sequence(
    tagged(0, smallInteger(2)),
    integer(content.serial),
    signer.algorithm,
    fromDer(content.issuer),
    sequence(time(content.notBefore), time(content.notAfter)),
    fromDer(content.subject),
    fromDer(content.publicKey),
    ...(extensions.length === 0 ? [] : [tagged(3, sequence(...extensions))]),
  );
  return signedDer(tbs, signer);
}

/** A certificate that was read. */
export interface Certificate extends Omit<CertificateContent, "serial"> {
  readonly der: Buffer;
  /** In hex, without leading zeros that DER adds. */
  readonly serial: string;
  readonly tbs: Buffer;
  readonly algorithm: Asn1;
  readonly signature: Buffer;
}

/** @throws DerError for what is not a certificate. */
export function readCertificate(der: Buffer): Certificate {
  const [tbs, algorithm, signature] = sequenceParts(fromDer(der), "certificate");
  const all = sequenceParts(tbs, "certificate");
  const parts = isTagged(all[0], 0) ? all.slice(1) : all;
  const [serial, , issuer, validity, subject, publicKey, ...rest] = parts;
  const [notBefore, notAfter] = sequenceParts(validity, "validity");
  const extensions = rest.find((part) => isTagged(part, 3));
  return {
    der,
    tbs: firstPartBytes(der),
    algorithm: sequenceOf(algorithm, "signature algorithm"),
    signature: bitsOf(signature, "signature"),
    serial: magnitudeOf(serial, "serial number").toString("hex"),
    issuer: toDer(sequenceOf(issuer, "issuer")),
    subject: toDer(sequenceOf(subject, "subject")),
    publicKey: toDer(sequenceOf(publicKey, "public key")),
    notBefore: timeOf(notBefore, "validity"),
    notAfter: timeOf(notAfter, "validity"),
    extensions:
      extensions === undefined
        ? []
        : decodeExtensions(sequenceOf(partsOf(extensions, "extensions")[0], "extensions")),
  };
}

function sequenceOf(node: Asn1 | undefined, what: string): Asn1 {
  sequenceParts(node, what);
  return node as Asn1;
}

/** Reads all that is made use of later, of a certificate that others have made. @throws DerError for what is malformed. */
export function checkParts(certificate: Certificate): void {
  decodeName(certificate.subject);
  decodeName(certificate.issuer);
  isCa(certificate);
  subjectKeyIdOf(certificate);
  authorityKeyIdOf(certificate);
  const usage = findExtension(certificate.extensions, OID.keyUsage);
  if (usage !== undefined) readKeyUsage(usage.value);
  const constraints = findExtension(certificate.extensions, OID.nameConstraints);
  if (constraints !== undefined) readNameConstraints(constraints.value);
}

/** What the certificate says of being a CA's. */
export function basicConstraintsOf({ extensions }: Pick<Certificate, "extensions">): BasicConstraints {
  const constraints = findExtension(extensions, OID.basicConstraints);
  return constraints === undefined
    ? { isCa: false, maxPathLength: null }
    : readBasicConstraints(constraints.value);
}

/** Whether the certificate says that it is a CA's. */
export function isCa(certificate: Pick<Certificate, "extensions">): boolean {
  return basicConstraintsOf(certificate).isCa;
}

/** The subject key id that the certificate states, else the one that its key has. */
export function subjectKeyIdOf(certificate: Pick<Certificate, "extensions" | "publicKey">): Buffer {
  const stated = findExtension(certificate.extensions, OID.subjectKeyId);
  return stated === undefined ? keyIdOf(certificate.publicKey) : readSubjectKeyId(stated.value);
}

/** Null: the certificate does not name its issuer's key. */
export function authorityKeyIdOf({ extensions }: Pick<Certificate, "extensions">): Buffer | null {
  const stated = findExtension(extensions, OID.authorityKeyId);
  return stated === undefined ? null : readAuthorityKeyId(stated.value);
}

/** The key that a certificate is for. @throws Error for a key of a kind that is not known. */
export function publicKeyOf({ publicKey }: Pick<Certificate, "publicKey">): KeyObject {
  return readPublicKey(publicKey);
}

/** Whether `issuer` has issued the certificate: by name, by key id where given, and by signature. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (!certificate.issuer.equals(issuer.subject)) return false;
  const keyId = authorityKeyIdOf(certificate);
  if (keyId !== null && !keyId.equals(subjectKeyIdOf(issuer))) return false;
  try {
    return isSignedBy(certificate, publicKeyOf(issuer), { allowSha1: true });
  } catch {
    // A key of a kind that is not known has issued nothing that is.
    return false;
  }
}

export function isSelfSigned(certificate: Certificate): boolean {
  return isIssuedBy(certificate, certificate);
}
