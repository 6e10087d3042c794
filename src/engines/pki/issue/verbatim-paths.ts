import { badRequest } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { type MountContext, type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import { field, type Given, type Values } from "../../../framework/field.ts";
import { issuingAuthority } from "../issuers/signing.ts";
import { checkSignatureBits } from "../roles/check.ts";
import { SIGNATURE_FIELDS, USAGE_FIELDS } from "../roles/fields.ts";
import { type Role, requireRole } from "../roles/role.ts";
import { newSerial } from "../serial.ts";
import { checkExtKeyUsageOids, extKeyUsageOids, keyUsageBits } from "../usage.ts";
import type { Csr } from "../x509/csr.ts";
import type { Extension } from "../x509/extensions.ts";
import * as extensions from "../x509/extensions.ts";
import { OID } from "../x509/oids.ts";
import { answerForm, describeIssued } from "./answer.ts";
import { checkedCsr } from "./csr.ts";
import { CSR_FIELD, FORMAT_FIELDS, ISSUER_FIELD, VALIDITY_FIELDS } from "./fields.ts";
import { leased } from "./lease.ts";
import { carryOut, roleValidity, withinConstraints } from "./plan.ts";
import { checkSubject, namesInCsr } from "./requested.ts";

const FIELDS = {
  ...VALIDITY_FIELDS,
  ...FORMAT_FIELDS,
  ...CSR_FIELD,
  ...USAGE_FIELDS,
  ...SIGNATURE_FIELDS,
  remove_roots_from_chain: field.bool({
    description: "ca_chain holds no certificates that sign themselves.",
  }),
  basic_constraints_valid_for_non_ca: field.bool({
    description: "The certificate says that it is not a CA's.",
  }),
};
const ROLE = { role: field.string({ description: "The role whose terms hold, not its rules for names." }) };

type VerbatimGiven = Given<typeof FIELDS>;
type VerbatimValues = Values<typeof FIELDS>;

/** `sign-verbatim` with a role or without, also below `issuer/:issuer_ref`. @see reference: sign-verbatim. */
export function verbatimPaths(context: MountContext): PathSpec[] {
  const help = {
    synopsis: "Sign a request as it is.",
    description: "Names and purposes are the request's; no role's rules are asked. It never makes a CA.",
  };
  const bare = (pattern: string, fields: typeof FIELDS): PathSpec =>
    path({
      pattern,
      fields: { ...fields, ...ISSUER_FIELD },
      help,
      operations: {
        update: {
          summary: help.synopsis,
          handler: ({ values, given }) => signVerbatim(context, values, given, values.issuer_ref),
        },
      },
    });
  return [
    bare("sign-verbatim", FIELDS),
    bare("issuer/:issuer_ref/sign-verbatim", FIELDS),
    path({
      pattern: "sign-verbatim/:role",
      fields: { ...FIELDS, ...ROLE },
      help,
      operations: {
        update: {
          summary: help.synopsis,
          handler: async ({ values, given }) => {
            const role = await requireRole(context.storage, values.role);
            return signVerbatim(context, values, given, role.issuer_ref, role);
          },
        },
      },
    }),
    path({
      pattern: "issuer/:issuer_ref/sign-verbatim/:role",
      fields: { ...FIELDS, ...ROLE, ...ISSUER_FIELD },
      help,
      operations: {
        update: {
          summary: help.synopsis,
          handler: async ({ values, given }) => {
            const role = await requireRole(context.storage, values.role);
            return signVerbatim(context, values, given, values.issuer_ref, role);
          },
        },
      },
    }),
  ];
}

/** What a role says of a certificate that is signed verbatim. */
type Terms = Pick<
  Role,
  "ttl" | "max_ttl" | "not_after" | "not_before_duration" | "generate_lease" | "no_store"
>;

const NO_ROLE: Terms = {
  ttl: 0,
  max_ttl: 0,
  not_after: "",
  not_before_duration: 30,
  generate_lease: false,
  no_store: false,
};

async function signVerbatim(
  context: MountContext,
  values: VerbatimValues,
  given: VerbatimGiven,
  issuerRef: string,
  role?: Role,
): Promise<Reply> {
  const form = answerForm(values.format, values.private_key_format);
  const terms: Terms = role ?? NO_ROLE;
  const hashBits = given.signature_bits ?? role?.signature_bits ?? 0;
  checkSignatureBits(hashBits);
  const { csr } = checkedCsr(values.csr);
  checkSubject(csr);
  const issuer = await issuingAuthority(context.storage, issuerRef);
  const plan = withinConstraints({
    issuer,
    serial: newSerial(context.random),
    validity: roleValidity(context, terms, issuer, values),
    subject: csr.subject,
    names: namesInCsr(csr),
    extensions: verbatimExtensions(csr, values, given, role),
    signature: { hashBits, usePss: given.use_pss ?? role?.use_pss ?? false },
    isStored: !terms.no_store,
    withoutRoots: values.remove_roots_from_chain,
    warnings: [],
  });
  const run = async (): Promise<JsonObject> =>
    describeIssued(await carryOut(context, plan, csr.publicKey), issuer.certificate.der, form);
  const { warnings } = plan.validity;
  if (terms.generate_lease) return { lease: leased(context, plan, run), warnings };
  return { data: await run(), warnings };
}

/** What the issuer says of itself and of its own right to say so, and what makes a CA; a request has no part in it. */
const ISSUERS: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.nameConstraints,
  OID.subjectKeyId,
  OID.authorityKeyId,
  OID.authorityInfoAccess,
  OID.crlDistributionPoints,
  OID.freshestCrl,
  OID.subjectAltName,
  OID.netscapeCertType,
]);

function verbatimExtensions(
  csr: Csr,
  values: VerbatimValues,
  given: VerbatimGiven,
  role: Role | undefined,
): readonly Extension[] {
  const requested = csr.extensions.filter(({ oid }) => !ISSUERS.has(oid)).map(withoutCaUsages);
  const has = (oid: string): boolean => requested.some((one) => one.oid === oid);
  checkExtKeyUsageOids(values.ext_key_usage_oids);
  const bits = keyUsageBits(given.key_usage ?? role?.key_usage ?? values.key_usage).filter(
    (bit) => bit < 5 || bit > 6,
  );
  const purposes = [
    ...extKeyUsageOids(given.ext_key_usage ?? role?.ext_key_usage ?? []),
    ...(given.ext_key_usage_oids ?? role?.ext_key_usage_oids ?? []),
  ];
  const saysNoCa =
    values.basic_constraints_valid_for_non_ca || role?.basic_constraints_valid_for_non_ca === true;
  return [
    ...(bits.length > 0 && !has(OID.keyUsage) ? [extensions.keyUsage(bits)] : []),
    ...(purposes.length > 0 && !has(OID.extKeyUsage) ? [extensions.extKeyUsage(purposes)] : []),
    ...(saysNoCa ? [extensions.noCaConstraints()] : []),
    ...requested,
  ];
}

/** A request may ask for the usages of a CA, which without being one mean nothing good. */
function withoutCaUsages(extension: Extension): Extension {
  if (extension.oid !== OID.keyUsage) return extension;
  return extensions.keyUsage(requestedBits(extension).filter((bit) => bit !== 5 && bit !== 6));
}

function requestedBits({ value }: Extension): readonly number[] {
  try {
    return extensions.readKeyUsage(value);
  } catch (error) {
    throw badRequest("the given csr has a malformed key usage", error);
  }
}
