import {
  type Asn1,
  boolean,
  bytesOf,
  DerError,
  fromDer,
  ia5String,
  isTagged,
  isUniversal,
  namedBits,
  octetString,
  oid,
  oidOf,
  sequence,
  sequenceParts,
  setBitsOf,
  smallInteger,
  TAG,
  tagged,
  taggedBytes,
  toDer,
  utf8String,
} from "./asn1.ts";
import { type AltNames, encodeAltNames, uriName } from "./general-names.ts";
import { OID } from "./oids.ts";

/** An extension of a certificate or a CRL (RFC 5280 section 4.1). */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** In DER: what is within the octet string. */
  readonly value: Buffer;
}

const extension = (type: string, value: Asn1, critical = false): Extension => ({
  oid: type,
  critical,
  value: toDer(value),
});

/** An extension in its ASN.1 form. */
export function encodeExtension({ oid: type, critical, value }: Extension): Asn1 {
  return critical
    ? sequence(oid(type), boolean(true), octetString(value))
    : sequence(oid(type), octetString(value));
}

/**
 * Reads the extensions of a certificate, a request or a CRL. @throws DerError also for one that is there twice, of which readers
 * take the first, or the last (RFC 5280 section 4.2).
 */
export function decodeExtensions(node: Asn1): readonly Extension[] {
  const extensions = sequenceParts(node, "extensions").map(decodeExtension);
  checkOnce(extensions);
  return extensions;
}

/** @throws DerError for an extension that is there twice. */
export function checkOnce(extensions: readonly Extension[]): void {
  const seen = new Set<string>();
  for (const { oid: type } of extensions) {
    if (seen.has(type)) throw new DerError(`an extension that is there twice: ${type}`);
    seen.add(type);
  }
}

function decodeExtension(part: Asn1): Extension {
  const [type, second, third] = sequenceParts(part, "extension");
  const hasFlag = isUniversal(second, TAG.boolean);
  return {
    oid: oidOf(type, "extension"),
    critical: hasFlag && bytesOf(second, "extension")[0] !== 0,
    value: bytesOf(hasFlag ? third : second, "extension"),
  };
}

export function findExtension(extensions: readonly Extension[], type: string): Extension | undefined {
  return extensions.find((one) => one.oid === type);
}

/** @param bits - The numbers of RFC 5280 section 4.2.1.3. */
export const keyUsage = (bits: readonly number[]): Extension =>
  extension(OID.keyUsage, namedBits(bits), true);

export const extKeyUsage = (oids: readonly string[]): Extension =>
  extension(OID.extKeyUsage, sequence(...oids.map(oid)));

/** @param maxPathLength - Below 0: unlimited. */
export function caConstraints(maxPathLength: number): Extension {
  const length = maxPathLength < 0 ? [] : [smallInteger(maxPathLength)];
  return extension(OID.basicConstraints, sequence(boolean(true), ...length), true);
}

/** CA:FALSE, which DER writes as an empty sequence. */
export const noCaConstraints = (): Extension => extension(OID.basicConstraints, sequence(), true);

export const subjectKeyId = (id: Uint8Array): Extension => extension(OID.subjectKeyId, octetString(id));

export const authorityKeyId = (id: Uint8Array): Extension =>
  extension(OID.authorityKeyId, sequence(taggedBytes(0, id)));

/** @param critical - When the subject is empty (RFC 5280 section 4.2.1.6). */
export const subjectAltName = (names: AltNames, critical: boolean): Extension => ({
  oid: OID.subjectAltName,
  critical,
  value: encodeAltNames(names),
});

/** Where the issuer's certificate and its OCSP answers are to be had (RFC 5280 section 4.2.2.1). */
export function authorityInfoAccess(ocsp: readonly string[], issuers: readonly string[]): Extension {
  return extension(
    OID.authorityInfoAccess,
    sequence(
      ...ocsp.map((url) => sequence(oid(OID.ocsp), uriName(url))),
      ...issuers.map((url) => sequence(oid(OID.caIssuers), uriName(url))),
    ),
  );
}

/** One distribution point for each URL, as Go writes them. @param type - Complete CRLs, or the freshest. */
export function distributionPoints(
  urls: readonly string[],
  type: string = OID.crlDistributionPoints,
): Extension {
  return extension(type, sequence(...urls.map((url) => sequence(tagged(0, tagged(0, uriName(url)))))));
}

/** A policy that a certificate is issued under. */
export interface Policy {
  readonly oid: string;
  /** Text for people. */
  readonly notice?: string;
  /** Where the practice statement is to be had. */
  readonly cps?: string;
}

export function certificatePolicies(policies: readonly Policy[]): Extension {
  const encoded = policies.map(({ oid: type, notice = "", cps = "" }) => {
    const qualifiers = [
      ...(notice === "" ? [] : [sequence(oid(OID.userNotice), sequence(utf8String(notice)))]),
      ...(cps === "" ? [] : [sequence(oid(OID.cps), ia5String(cps))]),
    ];
    return sequence(oid(type), ...(qualifiers.length === 0 ? [] : [sequence(...qualifiers)]));
  });
  return extension(OID.certificatePolicies, sequence(...encoded));
}

/** What a certificate says of being a CA's. */
export interface BasicConstraints {
  readonly isCa: boolean;
  /** How many CAs may be below it; null: any number. */
  readonly maxPathLength: number | null;
}

/** @throws DerError */
export function readBasicConstraints(value: Buffer): BasicConstraints {
  const parts = sequenceParts(fromDer(value), "basic constraints");
  const [first] = parts;
  const isCa = isUniversal(first, TAG.boolean) && bytesOf(first, "basic constraints")[0] !== 0;
  const length = parts.find((part) => isUniversal(part, TAG.integer));
  return { isCa, maxPathLength: length === undefined ? null : pathLengthOf(length) };
}

/** A length that no path reaches is as good as none. @throws DerError */
function pathLengthOf(node: Asn1): number {
  const bytes = bytesOf(node, "basic constraints");
  if (bytes.length === 0 || (bytes[0] ?? 0) >= 0x80) throw new DerError("malformed basic constraints");
  return bytes.length > 4 ? Number.MAX_SAFE_INTEGER : bytes.readUIntBE(0, bytes.length);
}

/** The bits that are set. @throws DerError */
export function readKeyUsage(value: Buffer): readonly number[] {
  return setBitsOf(fromDer(value), "key usage");
}

/** Null: the extension names the issuer otherwise. @throws DerError */
export function readAuthorityKeyId(value: Buffer): Buffer | null {
  const id = sequenceParts(fromDer(value), "authority key id").find((part) => isTagged(part, 0));
  return id === undefined ? null : bytesOf(id, "authority key id");
}

/** @throws DerError */
export function readSubjectKeyId(value: Buffer): Buffer {
  return bytesOf(fromDer(value), "subject key id");
}
