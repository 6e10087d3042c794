import { certificateOf } from "../issuers/chain.ts";
import type { IssuerRecord } from "../issuers/record.ts";
import { type Certificate, isIssuedBy, isSelfSigned } from "../x509/certificate.ts";
import { isSameName } from "../x509/name.ts";

/**
 * Asks the CAs above what is to be issued for their objections. Where several ways lead upwards, as cross-signing makes them,
 * one that is free of objections all along is enough.
 * @param chain - The issuer, and the CAs above it as far as they are known here, in any order.
 * @param objectionOf - What a CA has against it; null: nothing. `below`: how many CAs are between it and what is issued, those
 *   left out that a CA has issued to itself (RFC 5280 section 6.1.4, l).
 * @returns Null: there is such a way; else the first objection.
 */
export function objectionAbove(
  chain: readonly Pick<IssuerRecord, "certificate">[],
  objectionOf: (ca: Certificate, below: number) => string | null,
): string | null {
  const [issuer, ...above] = chain.map(certificateOf);
  if (issuer === undefined) return null;
  const objections: string[] = [];
  const reached = new Map([[issuer, 0]]);
  // The map grows while it is walked: behind a CA that objects no way goes on.
  for (const [ca, below] of reached) {
    const objection = objectionOf(ca, below);
    if (objection !== null) {
      objections.push(objection);
      continue;
    }
    const parents = isSelfSigned(ca) ? [] : above.filter((one) => one !== ca && isIssuedBy(ca, one));
    if (parents.length === 0) return null;
    const isSelfIssued = isSameName(ca.issuer, ca.subject);
    for (const one of parents) if (!reached.has(one)) reached.set(one, below + (isSelfIssued ? 0 : 1));
  }
  return objections[0] ?? null;
}
