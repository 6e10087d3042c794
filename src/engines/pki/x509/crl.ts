import {
  type Asn1,
  enumerated,
  fromDer,
  integer,
  sequence,
  smallInteger,
  tagged,
  time,
  toDer,
} from "./asn1.ts";
import { type Certificate, signedDer, subjectKeyIdOf } from "./certificate.ts";
import { authorityKeyId, distributionPoints, type Extension, encodeExtension } from "./extensions.ts";
import { OID } from "./oids.ts";
import type { Signer } from "./signature.ts";

/** Why a certificate was revoked (RFC 5280, section 5.3.1). */
export const REVOCATION_REASONS = {
  unspecified: 0,
  keyCompromise: 1,
  caCompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  removeFromCrl: 8,
  privilegeWithdrawn: 9,
  aaCompromise: 10,
} as const;

/** A certificate that is no longer good. */
export interface RevokedCertificate {
  /** The serial number's magnitude. */
  readonly serial: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly revokedAt: number;
  /** One of {@link REVOCATION_REASONS}; absent or 0: the entry does not say. */
  readonly reason?: number;
  /** Further extensions of the entry. */
  readonly extensions?: readonly Extension[];
}

export interface CrlTerms {
  readonly issuer: Certificate;
  readonly signer: Signer;
  /** Grows with every CRL of the issuer, complete and delta ones together. */
  readonly number: number | bigint;
  /** Of a delta CRL: the number of the complete one that it completes. Absent: this one is complete. */
  readonly baseNumber?: number | bigint;
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly revoked: readonly RevokedCertificate[];
  /** Where the deltas to this complete CRL are found (RFC 5280, section 5.2.6). */
  readonly deltaUrls?: readonly string[];
  /** Further extensions. One that this function would write itself is left to the caller's. */
  readonly extensions?: readonly Extension[];
}

/** CRL version 2 (RFC 5280 section 5.1.2.1). */
const VERSION_2 = 1;

/**
 * Builds and signs a complete or a delta CRL.
 * @returns In DER.
 * @see RFC 5280 section 5
 */
export function buildCrl(terms: CrlTerms): Buffer {
  const { issuer, signer, revoked } = terms;
  const content = sequence(
    smallInteger(VERSION_2),
    signer.algorithm,
    fromDer(issuer.subject),
    time(terms.thisUpdate),
    time(terms.nextUpdate),
    // An empty list may not be there (section 5.1.2.6).
    ...(revoked.length === 0 ? [] : [sequence(...revoked.map(revokedEntry))]),
    tagged(0, sequence(...crlExtensions(terms).map(encodeExtension))),
  );
  return signedDer(content, signer);
}

function revokedEntry({ serial, revokedAt, reason = 0, extensions: further = [] }: RevokedCertificate): Asn1 {
  const says = reason !== REVOCATION_REASONS.unspecified && !further.some((it) => it.oid === OID.reasonCode);
  const own = says ? [extension(OID.reasonCode, enumerated(reason))] : [];
  const list = [...own, ...further].map(encodeExtension);
  return sequence(integer(serial), time(revokedAt), ...(list.length === 0 ? [] : [sequence(...list)]));
}

function extension(type: string, value: Asn1, critical = false): Extension {
  return { oid: type, critical, value: toDer(value) };
}

function crlExtensions(terms: CrlTerms): readonly Extension[] {
  const { issuer, baseNumber, deltaUrls = [], extensions: further = [] } = terms;
  const own = [authorityKeyId(subjectKeyIdOf(issuer)), extension(OID.crlNumber, wholeNumber(terms.number))];
  if (baseNumber !== undefined) own.push(extension(OID.deltaCrlIndicator, wholeNumber(baseNumber), true));
  else if (deltaUrls.length > 0) own.push(distributionPoints(deltaUrls, OID.freshestCrl));
  return [...own.filter((it) => !further.some((other) => other.oid === it.oid)), ...further];
}

function wholeNumber(value: number | bigint): Asn1 {
  const hex = value.toString(16);
  return integer(Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex"));
}
