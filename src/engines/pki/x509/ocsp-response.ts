import {
  type Asn1,
  bitString,
  enumerated,
  fromDer,
  generalizedTime,
  octetString,
  oid,
  sequence,
  tagged,
  taggedBytes,
  toDer,
} from "./asn1.ts";
import type { Certificate } from "./certificate.ts";
import { encodeExtension } from "./extensions.ts";
import { keyIdOf } from "./keys.ts";
import { OCSP_NONCE } from "./ocsp-request.ts";
import type { Signer } from "./signature.ts";

/** What is known of a certificate. `unknown`: not one of the issuer's, or one that it keeps no record of. */
export type CertificateStatus =
  | { readonly kind: "good" }
  | { readonly kind: "unknown" }
  /** `revokedAt`: milliseconds since the epoch; `reason` as in a CRL. */
  | { readonly kind: "revoked"; readonly revokedAt: number; readonly reason?: number };

export interface OcspTerms {
  readonly issuer: Certificate;
  readonly signer: Signer;
  readonly answers: readonly { readonly certId: Buffer; readonly status: CertificateStatus }[];
  /** The DER of the request's nonce extension. */
  readonly nonce: Buffer | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Null: there is always newer information. */
  readonly nextUpdate: number | null;
}

const BASIC_RESPONSE = "1.3.6.1.5.5.7.48.1.1";

/** @see RFC 6960, section 4.2.1 */
const FAILURES = { malformedRequest: 1, internalError: 2, tryLater: 3, unauthorized: 6 } as const;

/** The response to a request that gets no answer: unsigned, since it says nothing of a certificate. */
export function ocspFailure(kind: keyof typeof FAILURES): Buffer {
  return toDer(sequence(enumerated(FAILURES[kind])));
}

/**
 * Builds an OCSP response, signed by the issuer of the certificates itself.
 * @returns In DER.
 * @see RFC 6960 section 4.2.1
 */
export function buildOcspResponse(terms: OcspTerms): Buffer {
  const { issuer, signer, nonce } = terms;
  const nonceParts =
    nonce === null
      ? []
      : [tagged(1, sequence(encodeExtension({ oid: OCSP_NONCE, critical: false, value: nonce })))];
  const content = sequence(
    tagged(2, octetString(keyIdOf(issuer.publicKey))),
    generalizedTime(terms.now),
    sequence(...terms.answers.map((answer) => singleResponse(answer, terms))),
    ...nonceParts,
  );
  const signature = bitString(signer.sign(toDer(content)));
  const certificates = tagged(0, sequence(fromDer(issuer.der)));
  const basic = toDer(sequence(content, signer.algorithm, signature, certificates));
  return toDer(sequence(enumerated(0), tagged(0, sequence(oid(BASIC_RESPONSE), octetString(basic)))));
}

function singleResponse({ certId, status }: OcspTerms["answers"][number], terms: OcspTerms): Asn1 {
  const { now, nextUpdate } = terms;
  return sequence(
    fromDer(certId),
    certStatus(status),
    generalizedTime(now),
    ...(nextUpdate === null ? [] : [tagged(0, generalizedTime(nextUpdate))]),
  );
}

function certStatus(status: CertificateStatus): Asn1 {
  switch (status.kind) {
    case "good":
      return taggedBytes(0, Buffer.alloc(0));
    case "unknown":
      return taggedBytes(2, Buffer.alloc(0));
    case "revoked": {
      const { revokedAt, reason = 0 } = status;
      const says = reason === 0 ? [] : [tagged(0, enumerated(reason))];
      return tagged(1, generalizedTime(revokedAt), ...says);
    }
  }
}
