import { badRequest } from "../../../base/errors.ts";
import { failpoint } from "../../../base/failpoint.ts";
import type { MountContext } from "../../../framework/backend.ts";
import { checkNameConstraints } from "../constraints/enforce.ts";
import { checkPlace } from "../constraints/path-length.ts";
import type { IssuingAuthority } from "../issuers/signing.ts";
import type { Role } from "../roles/role.ts";
import { newSerial } from "../serial.ts";
import { buildCertificate } from "../x509/certificate.ts";
import type { Extension } from "../x509/extensions.ts";
import type { AltNames } from "../x509/general-names.ts";
import { type SignatureOptions, signerFor } from "../x509/signature.ts";
import { chainDer, type Issued } from "./answer.ts";
import { checkNames, type RequestedNames } from "./check-names.ts";
import { contentOf, issuedBy, roleExtensions, roleSubject } from "./content.ts";
import { withCommonName } from "./requested.ts";
import { certWrite } from "./store.ts";
import { type Validity, validityOf } from "./validity.ts";

/** A certificate that is settled, but for the key that it is for. */
export interface CertificatePlan {
  readonly issuer: IssuingAuthority;
  readonly serial: Buffer;
  readonly validity: Validity;
  /** Name in DER. */
  readonly subject: Buffer;
  readonly names: AltNames;
  readonly extensions: readonly Extension[];
  readonly signature: SignatureOptions;
  readonly isStored: boolean;
  readonly withoutRoots: boolean;
  readonly warnings: readonly string[];
}

/** What a caller asks of a certificate besides its names. */
export interface Wishes {
  readonly ttl: number;
  readonly not_after: string;
  readonly exclude_cn_from_sans: boolean;
  readonly remove_roots_from_chain: boolean;
}

/**
 * Settles a certificate by a role.
 * @param role - Its templates filled.
 * @throws ApiError 400 for what the role, or the name constraints of a CA, do not allow.
 */
export function planByRole(
  context: MountContext,
  role: Role,
  issuer: IssuingAuthority,
  requested: RequestedNames,
  wishes: Wishes,
): CertificatePlan {
  if (requested.commonName === "" && role.require_cn) {
    throw badRequest(
      'the common_name field is required, or must be provided in a CSR with "use_csr_common_name" set to true, unless "require_cn" is set to false',
    );
  }
  const { commonName, serialNumber, userIds } = requested;
  const isAdded = commonName !== "" && !wishes.exclude_cn_from_sans;
  const names = isAdded ? withCommonName(requested.names, commonName) : requested.names;
  checkNames(role, { ...requested, names });
  return withinConstraints({
    issuer,
    serial: newSerial(context.random),
    validity: roleValidity(context, role, issuer, wishes),
    subject: roleSubject(role, { commonName, serialNumber, userIds }),
    names,
    extensions: roleExtensions(role),
    signature: { hashBits: role.signature_bits, usePss: role.use_pss },
    isStored: !role.no_store,
    withoutRoots: wishes.remove_roots_from_chain,
    warnings: [],
  });
}

/** The plan, if its issuer and those above allow it by their name constraints and path lengths. @throws ApiError 400 */
export function withinConstraints(plan: CertificatePlan): CertificatePlan {
  const { issuer, subject, names } = plan;
  checkPlace(issuer.chain);
  checkNameConstraints(issuer.chain, { subject, altNames: names, isCa: false });
  return plan;
}

/** How long a role's certificate is valid. @throws ApiError 400 */
export function roleValidity(
  context: MountContext,
  role: Pick<Role, "ttl" | "max_ttl" | "not_after" | "not_before_duration">,
  issuer: IssuingAuthority,
  wishes: Pick<Wishes, "ttl" | "not_after">,
): Validity {
  return validityOf({
    now: context.clock.now(),
    notBeforeSeconds: role.not_before_duration,
    ttlSeconds: wishes.ttl,
    notAfter: role.not_after === "" ? wishes.not_after : role.not_after,
    roleTtlSeconds: role.ttl,
    roleMaxSeconds: role.max_ttl,
    mount: context.ttl,
    issuerNotAfter: issuer.certificate.notAfter,
    behavior: issuer.record.leafNotAfter,
  });
}

/**
 * Signs what was planned, and keeps it. What was signed but not kept has been shown to nobody.
 * @param publicKey - SubjectPublicKeyInfo in DER.
 */
export async function carryOut(
  { storage }: MountContext,
  plan: CertificatePlan,
  publicKey: Buffer,
): Promise<Issued> {
  const { issuer, serial, validity, subject, names, extensions } = plan;
  const { notBefore, notAfter } = validity;
  const draft = { serial, subject, names, notBefore, notAfter, publicKey, extensions };
  const content = contentOf(draft, issuedBy(issuer.certificate, issuer.urls));
  const der = buildCertificate(content, signerFor(issuer.key, plan.signature));
  const hex = serial.toString("hex");
  failpoint("pki:signed");
  if (plan.isStored) {
    const { crlScope } = issuer.record;
    await storage.commit([certWrite(hex, { certificate: der.toString("base64"), crlScope })]);
  }
  failpoint("pki:stored");
  const chain = chainDer(issuer.chain, { withoutRoots: plan.withoutRoots });
  return { der, serial: hex, notAfter, chain };
}
