import { badRequest } from "../../../base/errors.ts";
import type { IssuerRecord } from "../issuers/record.ts";
import { basicConstraintsOf, type Certificate } from "../x509/certificate.ts";
import { nameText } from "../x509/name.ts";
import { objectionAbove } from "./ways.ts";

/**
 * Whether there may be one more CA below an issuer.
 * @param chain - The issuer, and the CAs above it as far as they are known here.
 * @throws ApiError 400 @see RFC 5280 section 4.2.1.9
 */
export function checkPathLength(chain: readonly Pick<IssuerRecord, "certificate">[]): void {
  const objection = objectionAbove(chain, (ca, below) => {
    const { maxPathLength } = basicConstraintsOf(ca);
    if (maxPathLength === null || maxPathLength > below) return null;
    if (below === 0) {
      return "signing certificate has a max path length of zero, and cannot issue further CA certificates";
    }
    return `the CA ${JSON.stringify(nameText(ca.subject))} has a max path length of ${maxPathLength}, and allows no further CA certificate below the issuer`;
  });
  if (objection !== null) throw badRequest(objection);
}

/** How many CAs may be below a CA that an issuer signs, where nobody says: one less than below the issuer. -1: any number. */
export function inheritedPathLength(issuer: Certificate): number {
  const { maxPathLength } = basicConstraintsOf(issuer);
  return maxPathLength === null ? -1 : Math.max(0, maxPathLength - 1);
}
