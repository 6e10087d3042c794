import {
  type Asn1,
  bitsOf,
  firstPartBytes,
  fromDer,
  isTagged,
  isUniversal,
  magnitudeOf,
  sequenceParts,
  TAG,
  timeOf,
  toDer,
} from "./asn1.ts";
import { decodeExtensions, type Extension } from "./extensions.ts";
import type { Signed } from "./signature.ts";

/** One entry of a CRL that was read. */
export interface CrlEntry {
  /** The serial's bytes, without the zero that is its sign. */
  readonly serial: Buffer;
  /** Milliseconds. */
  readonly revokedAt: number;
  readonly extensions: readonly Extension[];
}

/** A CRL that was read. Its signature is not checked yet. */
export interface Crl extends Signed {
  /** Name in DER. */
  readonly issuer: Buffer;
  readonly entries: readonly CrlEntry[];
}

/** Reads a CRL (RFC 5280 section 5.1). @throws DerError */
export function readCrl(der: Buffer): Crl {
  const [tbs, algorithm, signature] = sequenceParts(fromDer(der), "CRL");
  sequenceParts(algorithm, "signature algorithm");
  const all = sequenceParts(tbs, "CRL");
  const rest = isUniversal(all[0], TAG.integer) ? all.slice(1) : all;
  const [, issuer, , ...further] = rest;
  sequenceParts(issuer, "issuer");
  const list = further.find((part) => isUniversal(part, TAG.sequence));
  const isList = list !== undefined && !isTagged(list, 0);
  return {
    tbs: firstPartBytes(der),
    algorithm: algorithm as Asn1,
    signature: bitsOf(signature, "signature"),
    issuer: toDer(issuer as Asn1),
    entries: isList ? sequenceParts(list, "CRL").map(entryOf) : [],
  };
}

function entryOf(node: Asn1): CrlEntry {
  const [serial, revokedAt, extensions] = sequenceParts(node, "CRL entry");
  return {
    serial: magnitudeOf(serial, "CRL entry"),
    revokedAt: timeOf(revokedAt, "CRL entry"),
    extensions: extensions === undefined ? [] : decodeExtensions(extensions),
  };
}
