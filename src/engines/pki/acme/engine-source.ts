import { ApiError } from "../../../base/errors.ts";
import type { MountContext } from "../../../framework/backend.ts";
import { checkNameConstraints } from "../constraints/enforce.ts";
import { checkNames } from "../issue/check-names.ts";
import { checkKeyOfCsr } from "../issue/csr.ts";
import { carryOut, planByRole } from "../issue/plan.ts";
import { type IssuingAuthority, issuingAuthority } from "../issuers/signing.ts";
import { readCluster } from "../issuers/urls.ts";
import { readRevoked } from "../revoke/record.ts";
import { type Revocable, revocableGiven, revokeAll } from "../revoke/revoke.ts";
import { ROLE_FIELDS } from "../roles/fields.ts";
import { type Role, requireRole } from "../roles/role.ts";
import { type Certificate, isCa } from "../x509/certificate.ts";
import { type Csr, csrKey } from "../x509/csr.ts";
import { type AltNames, NO_NAMES } from "../x509/general-names.ts";
import { kindOf } from "../x509/keys.ts";
import { attributeOf, decodeName, encodeName } from "../x509/name.ts";
import { OID } from "../x509/oids.ts";
import { pem } from "../x509/pem.ts";
import type { Identifier } from "./identifiers.ts";
import type { CertificateSource, IssuedCertificate, IssuingTerms } from "./source.ts";

/** The engine as ACME needs it: roles and issuers decide, as they do for `sign`. */
export function engineSource(context: MountContext): CertificateSource {
  const { storage } = context;
  return {
    clusterPath: async () => (await readCluster(storage)).path.replace(/\/+$/, ""),
    problemOf: (terms) =>
      refusalText(async () => {
        const role = await roleFor(context, terms);
        if (role.no_store)
          throw new ApiError(400, `role ${terms.role} has no_store set, which ACME cannot do with`);
        await issuerFor(context, terms, role);
      }),
    refusalOf: (terms, identifier) =>
      refusalText(async () => {
        const role = await roleFor(context, terms);
        const nobody = { commonName: "", serialNumber: "", userIds: [], fromCsr: true };
        const names = altNames([identifier]);
        checkNames(role, { ...nobody, names });
        const { chain } = await issuerFor(context, terms, role);
        checkNameConstraints(chain, { subject: encodeName({}), altNames: names, isCa: false });
      }),
    issue: (terms, csr, names) => issue(context, terms, csr, names),
    ...revocation(context),
  };
}

/** What an {@link ApiError} of the work says; null: it has no objection. */
async function refusalText(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof ApiError) return error.errors.join("; ");
    throw error;
  }
}

/** What `sign-verbatim` amounts to here: any name that was proven, and a key of any type. */
const VERBATIM: Role = {
  ...(Object.fromEntries(
    Object.entries(ROLE_FIELDS).map(([name, spec]) => [name, spec.default ?? spec.zero]),
  ) as unknown as Role),
  allow_any_name: true,
  enforce_hostnames: false,
  require_cn: false,
  key_type: "any",
};

/** The role by which a directory issues. Without the configuration's leave its certificates are for servers alone. */
async function roleFor({ storage }: MountContext, terms: IssuingTerms): Promise<Role> {
  const role = terms.role === "" ? VERBATIM : await requireRole(storage, terms.role);
  // There is no identity that could fill a template.
  const isPlain = (domain: string): boolean => !role.allowed_domains_template || !domain.includes("{{");
  const known = { ...role, allowed_domains: role.allowed_domains.filter(isPlain) };
  if (terms.withRoleUsages && terms.role !== "") return known;
  return {
    ...known,
    server_flag: true,
    client_flag: false,
    code_signing_flag: false,
    email_protection_flag: false,
    ext_key_usage: [],
    ext_key_usage_oids: [],
  };
}

function issuerFor({ storage }: MountContext, terms: IssuingTerms, role: Role): Promise<IssuingAuthority> {
  return issuingAuthority(storage, terms.issuerRef === "" ? role.issuer_ref : terms.issuerRef);
}

function altNames(identifiers: readonly Identifier[]): AltNames {
  const valuesOf = (type: Identifier["type"]): readonly string[] =>
    identifiers.filter((it) => it.type === type).map(({ value }) => value);
  return { ...NO_NAMES, dns: valuesOf("dns"), ips: valuesOf("ip") };
}

/** X.520's upper bound of a common name. */
const COMMON_NAME_CHARS_MAX = 64;

/**
 * Of the request only key and common name count: a subject or extensions that nobody has looked at are not signed. The
 * common name is one of the names, as was checked; a role that wants one where the request has none gets the first that fits.
 */
function commonNameFor(role: Role, csr: Csr, names: readonly Identifier[]): string {
  const asked = attributeOf(decodeName(csr.subject), OID.commonName);
  if (asked !== "" || !role.require_cn) return asked;
  return names.find(({ value }) => value.length <= COMMON_NAME_CHARS_MAX)?.value ?? "";
}

async function issue(
  context: MountContext,
  terms: IssuingTerms,
  csr: Csr,
  names: readonly Identifier[],
): Promise<IssuedCertificate> {
  const role = await roleFor(context, terms);
  const issuer = await issuerFor(context, terms, role);
  const kind = kindOf(csrKey(csr));
  if (kind === null) throw new ApiError(400, "the csr is for a key of a type that is not supported");
  checkKeyOfCsr(role, kind);
  const requested = {
    commonName: commonNameFor(role, csr, names),
    serialNumber: "",
    userIds: [],
    names: altNames(names),
    fromCsr: true,
  };
  const wishes = { ttl: 0, not_after: "", exclude_cn_from_sans: false, remove_roots_from_chain: false };
  const plan = planByRole(context, role, issuer, requested, wishes);
  const { der, serial, notAfter, chain } = await carryOut(
    context,
    { ...plan, isStored: true },
    csr.publicKey,
  );
  const blocks = [der, ...chain].map((it) => `${pem("CERTIFICATE", it)}\n`);
  return { serial, chain: blocks.join(""), notAfter };
}

/** Neither what this mount has not issued nor an authority's certificate is an ACME client's to revoke. */
async function findRevocable(context: MountContext, certificate: Certificate): Promise<Revocable | null> {
  if (isCa(certificate)) return null;
  try {
    return await revocableGiven(context, certificate);
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}

function revocation(context: MountContext): Pick<CertificateSource, "statusOf" | "revoke"> {
  return {
    statusOf: async (certificate) => {
      const found = await findRevocable(context, certificate);
      if (found === null) return "unknown";
      const revoked = await readRevoked(context.storage, certificate.serial, found.crlScope);
      return revoked === null ? "good" : "revoked";
    },
    revoke: async (certificate) => {
      const found = await findRevocable(context, certificate);
      if (found !== null) await revokeAll(context, found.crlScope, [certificate]);
    },
  };
}
