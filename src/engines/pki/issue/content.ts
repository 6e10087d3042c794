import type { IssuerUrls } from "../issuers/record.ts";
import type { Role } from "../roles/role.ts";
import { extKeyUsageOids, keyUsageBits, readPolicies } from "../usage.ts";
import { type Certificate, type CertificateContent, subjectKeyIdOf } from "../x509/certificate.ts";
import type { Extension, Policy } from "../x509/extensions.ts";
import * as extensions from "../x509/extensions.ts";
import { type AltNames, hasNames } from "../x509/general-names.ts";
import { keyIdOf } from "../x509/keys.ts";
import { attributeOf, decodeName, encodeName, isEmptyName, type Subject } from "../x509/name.ts";
import { EXT_KEY_USAGES, OID } from "../x509/oids.ts";

/** What a certificate is made of, apart from who issues it. Moments are milliseconds. */
export interface Draft {
  readonly serial: Buffer;
  /** Name in DER. */
  readonly subject: Buffer;
  readonly names: AltNames;
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Buffer;
  /** Key usage, purposes, policies, constraints: what depends on the kind of certificate. */
  readonly extensions: readonly Extension[];
  /** Stated instead of the hash of the key. */
  readonly subjectKeyId?: Buffer;
}

/** Who issues: a certificate's own fields, and where its issuer is published. */
export interface IssuedBy {
  readonly subject: Buffer;
  readonly keyId: Buffer;
  readonly urls: IssuerUrls;
}

export function issuedBy(certificate: Certificate, urls: IssuerUrls): IssuedBy {
  return { subject: certificate.subject, keyId: subjectKeyIdOf(certificate), urls };
}

/** Puts a certificate together, its extensions in the order in which Go writes them. */
export function contentOf(draft: Draft, issuer: IssuedBy): CertificateContent {
  const { urls } = issuer;
  const { serial, subject, notBefore, notAfter, publicKey, names } = draft;
  const first = draft.extensions.filter(({ oid }) => !LAST.has(oid));
  const last = draft.extensions.filter(({ oid }) => LAST.has(oid));
  const skid = draft.subjectKeyId ?? keyIdOf(publicKey);
  const aia =
    urls.ocspServers.length + urls.issuingCertificates.length > 0
      ? [extensions.authorityInfoAccess(urls.ocspServers, urls.issuingCertificates)]
      : [];
  const own = new Set(draft.extensions.map(({ oid }) => oid));
  const added = [
    extensions.subjectKeyId(skid),
    extensions.authorityKeyId(issuer.keyId),
    ...aia,
    ...(hasNames(names) ? [extensions.subjectAltName(names, isEmptyName(subject))] : []),
    ...(urls.crlDistributionPoints.length > 0
      ? [extensions.distributionPoints(urls.crlDistributionPoints)]
      : []),
    ...(urls.deltaCrlDistributionPoints.length > 0
      ? [extensions.distributionPoints(urls.deltaCrlDistributionPoints, OID.freshestCrl)]
      : []),
  ].filter(({ oid }) => !own.has(oid));
  return {
    serial,
    subject,
    issuer: issuer.subject,
    notBefore,
    notAfter,
    publicKey,
    extensions: [...first, ...added, ...last],
  };
}

const LAST: ReadonlySet<string> = new Set([OID.certificatePolicies, OID.nameConstraints]);

/** The subject of a role's certificates. */
export function roleSubject(
  role: Pick<
    Role,
    "country" | "organization" | "ou" | "locality" | "province" | "street_address" | "postal_code"
  >,
  own: Pick<Subject, "commonName" | "serialNumber" | "userIds">,
): Buffer {
  return encodeName({
    country: role.country,
    organization: role.organization,
    organizationalUnit: role.ou,
    locality: role.locality,
    province: role.province,
    streetAddress: role.street_address,
    postalCode: role.postal_code,
    ...own,
  });
}

/** What a role lets its certificates be used for. */
export function roleExtensions(role: Role): readonly Extension[] {
  const bits = keyUsageBits(role.key_usage);
  const purposes = purposesOf(role);
  const policies: readonly Policy[] = readPolicies(role.policy_identifiers);
  return [
    ...(bits.length > 0 ? [extensions.keyUsage(bits)] : []),
    ...(purposes.length > 0 ? [extensions.extKeyUsage(purposes)] : []),
    ...(role.basic_constraints_valid_for_non_ca ? [extensions.noCaConstraints()] : []),
    ...(policies.length > 0 ? [extensions.certificatePolicies(policies)] : []),
  ];
}

function purposesOf(role: Role): readonly string[] {
  const flags = [
    ["serverauth", role.server_flag],
    ["clientauth", role.client_flag],
    ["codesigning", role.code_signing_flag],
    ["emailprotection", role.email_protection_flag],
  ] as const;
  const flagged = flags.flatMap(([name, isSet]) => (isSet ? [EXT_KEY_USAGES.get(name) ?? ""] : []));
  return [...new Set([...flagged, ...extKeyUsageOids(role.ext_key_usage), ...role.ext_key_usage_oids])];
}

/** What a subject in DER calls itself. @throws DerError */
export function subjectParts(subject: Buffer): {
  readonly commonName: string;
  readonly serialNumber: string;
  readonly userIds: readonly string[];
} {
  const attributes = decodeName(subject);
  return {
    commonName: attributeOf(attributes, OID.commonName),
    serialNumber: attributeOf(attributes, OID.serialNumber),
    userIds: attributes.filter(({ oid }) => oid === OID.userId).map(({ value }) => value),
  };
}
