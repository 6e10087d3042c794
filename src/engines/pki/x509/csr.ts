import type { KeyObject } from "node:crypto";
import {
  type Asn1,
  bitsOf,
  firstPartBytes,
  fromDer,
  isTagged,
  oid,
  oidOf,
  partsOf,
  sequence,
  sequenceParts,
  setOf,
  smallInteger,
  tagged,
  toDer,
} from "./asn1.ts";
import { signedDer } from "./certificate.ts";
import { checkOnce, decodeExtensions, type Extension, encodeExtension } from "./extensions.ts";
import { readPublicKey } from "./keys.ts";
import { OID } from "./oids.ts";
import { isSignedBy, type Signer } from "./signature.ts";

/** A certification request, PKCS#10 (RFC 2986). Name and key are in DER. */
export interface CsrContent {
  readonly subject: Buffer;
  readonly publicKey: Buffer;
  readonly extensions: readonly Extension[];
}

/** A request that was read. Its signature is not checked yet. */
export interface Csr extends CsrContent {
  readonly tbs: Buffer;
  readonly algorithm: Asn1;
  readonly signature: Buffer;
}

/** @returns In DER. */
export function buildCsr({ subject, publicKey, extensions }: CsrContent, signer: Signer): Buffer {
  const requested =
    extensions.length === 0
      ? []
      : [sequence(oid(OID.extensionRequest), setOf(sequence(...extensions.map(encodeExtension))))];
  return signedDer(
    sequence(smallInteger(0), fromDer(subject), fromDer(publicKey), tagged(0, ...requested)),
    signer,
  );
}

/** @throws DerError for what is not a request. */
export function readCsr(der: Buffer): Csr {
  const [tbs, algorithm, signature] = sequenceParts(fromDer(der), "certificate request");
  const [, subject, publicKey, ...rest] = sequenceParts(tbs, "certificate request");
  sequenceParts(subject, "subject");
  sequenceParts(publicKey, "public key");
  sequenceParts(algorithm, "signature algorithm");
  const attributes = rest.find((part) => isTagged(part, 0));
  return {
    tbs: firstPartBytes(der),
    algorithm: algorithm as Asn1,
    signature: bitsOf(signature, "signature"),
    subject: toDer(subject as Asn1),
    publicKey: toDer(publicKey as Asn1),
    extensions: attributes === undefined ? [] : requestedExtensions(attributes),
  };
}

function requestedExtensions(attributes: Asn1): readonly Extension[] {
  const extensions = partsOf(attributes, "attributes").flatMap((attribute) => {
    const [type, values] = sequenceParts(attribute, "attributes");
    if (oidOf(type, "attributes") !== OID.extensionRequest) return [];
    const [list] = partsOf(values, "requested extensions");
    sequenceParts(list, "requested extensions");
    return decodeExtensions(list as Asn1);
  });
  // Each of several lists may be good, and all of them together not.
  checkOnce(extensions);
  return extensions;
}

/** The key that the request is for. @throws Error for a key of a kind that is not known. */
export function csrKey({ publicKey }: Csr): KeyObject {
  return readPublicKey(publicKey);
}

/** Whether the request is signed by the key that it is for. */
export function provesPossession(csr: Csr, key: KeyObject): boolean {
  return isSignedBy(csr, key);
}
