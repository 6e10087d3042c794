import { badRequest } from "../../../base/errors.ts";
import type { IssuerRecord } from "../issuers/record.ts";
import { DerError } from "../x509/asn1.ts";
import type { Certificate } from "../x509/certificate.ts";
import { findExtension } from "../x509/extensions.ts";
import type { GeneralName } from "../x509/general-names.ts";
import { isSameName, nameText } from "../x509/name.ts";
import { readNameConstraints } from "../x509/name-constraints.ts";
import { OID } from "../x509/oids.ts";
import { constrainedNames, type Named } from "./names.ts";
import { violationOf } from "./violation.ts";
import { objectionAbove } from "./ways.ts";

/** The extension's object identifier in DER: where it does not occur, a certificate has no constraints. */
const OID_DER = Buffer.from("0603551d1e", "hex");

/**
 * Holds the names of what is to be issued against the name constraints of its issuer and of the CAs above that one.
 * @param chain - The issuer, and the CAs above it as far as they are known here.
 * @throws ApiError 400 naming the name and the constraint that it breaks.
 * @see RFC 5280 sections 4.2.1.10 and 6.1.3
 */
export function checkNameConstraints(
  chain: readonly Pick<IssuerRecord, "certificate">[],
  named: Named,
): void {
  // To read a chain, and to find the ways in it, takes longer than to sign a certificate.
  if (!chain.some(({ certificate }) => Buffer.from(certificate, "base64").includes(OID_DER))) return;
  const names = namesOf(named);
  const objection = objectionAbove(chain, (ca, below) => {
    // A CA's new key under its old name is what it was (section 6.1.3, b and c).
    const isSelfIssued = below === 0 && named.isCa && isSameName(named.subject, ca.subject);
    return isSelfIssued ? null : objectionOf(ca, names);
  });
  if (objection !== null) throw badRequest(objection);
}

function namesOf(named: Named): readonly GeneralName[] {
  try {
    return constrainedNames(named);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw badRequest(`the names cannot be read: ${error.message}`, error);
  }
}

function objectionOf(ca: Certificate, names: readonly GeneralName[]): string | null {
  const extension = findExtension(ca.extensions, OID.nameConstraints);
  const violation = extension === undefined ? null : violationOf(readNameConstraints(extension.value), names);
  if (violation === null) return null;
  const { name, reason } = violation;
  return `${name} breaks the name constraints of the CA ${JSON.stringify(nameText(ca.subject))}: ${reason}`;
}
