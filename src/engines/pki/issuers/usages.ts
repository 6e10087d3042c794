import { badRequest } from "../../../base/errors.ts";
import type { Certificate } from "../x509/certificate.ts";
import { findExtension, readKeyUsage } from "../x509/extensions.ts";
import { OID } from "../x509/oids.ts";
import { certificateOf } from "./chain.ts";
import { type IssuerRecord, USAGES, type Usage } from "./record.ts";

/** Bits of a key usage (RFC 5280 section 4.2.1.3), with what they let an issuer do. */
const BITS: readonly (readonly [usage: Usage, bit: number, name: string, vaultName: string])[] = [
  ["issuing-certificates", 5, "CertSign", "IssuanceUsage"],
  ["crl-signing", 6, "CRLSign", "CRLSigningUsage"],
];

function lacks({ extensions }: Pick<Certificate, "extensions">, bit: number): boolean {
  const stated = findExtension(extensions, OID.keyUsage);
  return stated !== undefined && !readKeyUsage(stated.value).includes(bit);
}

/** All that an issuer's certificate allows: what it signs beyond that nobody would believe. */
export function usagesIn(certificate: Pick<Certificate, "extensions">): readonly Usage[] {
  const barred = BITS.filter(([, bit]) => lacks(certificate, bit)).map(([usage]) => usage);
  return USAGES.filter((usage) => !barred.includes(usage));
}

/** All that an issuer may still be used for. */
export function possibleUsages(issuer: IssuerRecord): readonly Usage[] {
  const usages = usagesIn(certificateOf(issuer));
  return issuer.revokedAt === null ? usages : usages.filter((usage) => usage !== "issuing-certificates");
}

/** The usages that were asked for; that of being read stays. @throws ApiError 400 for one that is unknown, or not to be had. */
export function askedUsages(names: readonly string[], issuer: IssuerRecord): readonly Usage[] {
  const wanted = names.filter((name) => name !== "");
  const unknown = wanted.find((name) => !USAGES.some((usage) => usage === name));
  if (unknown !== undefined)
    throw badRequest(
      `Unable to parse specified usages: [${names.join(" ")}] - valid values are ${USAGES.join(", ")}`,
    );
  if (issuer.revokedAt !== null && wanted.includes("issuing-certificates")) {
    throw badRequest("the issuer is revoked, and cannot issue certificates any more");
  }
  const certificate = certificateOf(issuer);
  for (const [usage, bit, name, vaultName] of BITS) {
    if (!wanted.includes(usage) || !lacks(certificate, bit)) continue;
    throw badRequest(
      `This issuer's underlying certificate lacks the ${name} KeyUsage value; unable to set ${vaultName} on this issuer as a result.`,
    );
  }
  return USAGES.filter((usage) => usage === "read-only" || wanted.includes(usage));
}
