import { badRequest } from "../../../base/errors.ts";
import { certificateOf } from "../issuers/chain.ts";
import type { IssuerRecord } from "../issuers/record.ts";
import { basicConstraintsOf, type Certificate } from "../x509/certificate.ts";
import { nameText } from "../x509/name.ts";
import { objectionAbove } from "./ways.ts";

type Chain = readonly Pick<IssuerRecord, "certificate">[];

/**
 * Whether there may be one more CA below an issuer.
 * @param chain - The issuer, and the CAs above it as far as they are known here.
 * @throws ApiError 400 @see RFC 5280 section 4.2.1.9
 */
export function checkPathLength(chain: Chain): void {
  const objection = objectionAbove(chain, (ca, below) => {
    const { maxPathLength } = basicConstraintsOf(ca);
    if (maxPathLength === null || maxPathLength > below) return null;
    if (below === 0) {
      return "signing certificate has a max path length of zero, and cannot issue further CA certificates";
    }
    return `${lengthText(ca, maxPathLength)}, and allows no further CA certificate below the issuer`;
  });
  if (objection !== null) throw badRequest(objection);
}

/** Whether the issuer itself is where a CA may be: what it issues is trusted by nobody else. @throws ApiError 400 */
export function checkPlace(chain: Chain): void {
  const isPossible = chain.every((issuer) => {
    const { maxPathLength } = basicConstraintsOf(certificateOf(issuer));
    return maxPathLength === null || maxPathLength >= chain.length - 1;
  });
  // To find the ways in a chain takes longer than to sign a certificate; mostly it is too short for any objection.
  if (isPossible) return;
  const objection = objectionAbove(chain, (ca, below) => {
    const { maxPathLength } = basicConstraintsOf(ca);
    if (maxPathLength === null || maxPathLength >= below) return null;
    return `${lengthText(ca, maxPathLength)}, which the issuer is beyond`;
  });
  if (objection !== null) throw badRequest(objection);
}

function lengthText({ subject }: Certificate, maxPathLength: number): string {
  return `the CA ${JSON.stringify(nameText(subject))} has a max path length of ${maxPathLength}`;
}

/** How many CAs may be below a CA that an issuer signs, where nobody says: one less than below the issuer. -1: any number. */
export function inheritedPathLength(issuer: Certificate): number {
  const { maxPathLength } = basicConstraintsOf(issuer);
  return maxPathLength === null ? -1 : Math.max(0, maxPathLength - 1);
}
