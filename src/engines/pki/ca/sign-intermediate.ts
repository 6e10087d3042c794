import { badRequest } from "../../../base/errors.ts";
import { type MountContext, type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import { field, type Given, type Values } from "../../../framework/field.ts";
import { checkNameConstraints } from "../constraints/enforce.ts";
import { checkPathLength, inheritedPathLength } from "../constraints/path-length.ts";
import { chainDer, describeIssued } from "../issue/answer.ts";
import { contentOf, issuedBy, roleSubject } from "../issue/content.ts";
import { type CheckedCsr, checkedCsr } from "../issue/csr.ts";
import { CSR_FIELD, ISSUER_FIELD } from "../issue/fields.ts";
import { checkSubject, namesFrom, namesInCsr, withCommonName } from "../issue/requested.ts";
import { certWrite } from "../issue/store.ts";
import { validityOf } from "../issue/validity.ts";
import { issuingAuthority, type SigningIssuer } from "../issuers/signing.ts";
import { checkSignatureBits } from "../roles/check.ts";
import { SIGNATURE_FIELDS } from "../roles/fields.ts";
import { newSerial } from "../serial.ts";
import { readPolicies } from "../usage.ts";
import { buildCertificate } from "../x509/certificate.ts";
import { certificatePolicies, type Extension } from "../x509/extensions.ts";
import { OID } from "../x509/oids.ts";
import { signerFor } from "../x509/signature.ts";
import { caExtensions } from "./extensions.ts";
import { CA_ISSUE_FIELDS, CA_NAME_FIELDS } from "./fields.ts";

const { issuer_name: _issuerName, ...ISSUE_TERMS } = CA_ISSUE_FIELDS;

const FIELDS = {
  ...CA_NAME_FIELDS,
  ...ISSUE_TERMS,
  ...SIGNATURE_FIELDS,
  ...CSR_FIELD,
  ...ISSUER_FIELD,
  max_path_length: field.int({
    description:
      "How many CAs may be below this one; -1: any number. Not given: one less than below its issuer.",
    default: -1,
  }),
  use_csr_values: field.bool({ description: "Subject, names and extensions are those of the request." }),
  policy_identifiers: field.list({
    description: "Policies of the CA: object identifiers, or objects with oid, notice and cps.",
  }),
  skid: field.string({ description: "The subject key id, in hex, where it is not to be the key's hash." }),
};

type SignTerms = Values<typeof FIELDS>;

/** `root/sign-intermediate` and `issuer/:issuer_ref/sign-intermediate`. @see reference: intermediates. */
export function signIntermediatePaths(context: MountContext): PathSpec[] {
  return ["root/sign-intermediate", "issuer/:issuer_ref/sign-intermediate"].map((pattern) =>
    path({
      pattern,
      fields: FIELDS,
      help: { synopsis: "Sign the request of another CA, which may then issue certificates." },
      operations: {
        update: {
          summary: "Sign the request of a CA.",
          handler: ({ values, given }) => signCa(context, values, given),
        },
      },
    }),
  );
}

async function signCa(context: MountContext, values: SignTerms, given: Given<typeof FIELDS>): Promise<Reply> {
  if (values.format !== "pem" && values.format !== "der" && values.format !== "pem_bundle") {
    throw badRequest('The "format" path parameter must be "pem" or "der"');
  }
  checkSignatureBits(values.signature_bits);
  const checked = checkedCsr(values.csr);
  const issuer = await issuingAuthority(context.storage, values.issuer_ref);
  checkPathLength(issuer.chain);
  const pathLength = given.max_path_length ?? inheritedPathLength(issuer.certificate);
  const terms = { ...values, max_path_length: pathLength };
  const validity = validityOf({
    now: context.clock.now(),
    notBeforeSeconds: terms.not_before_duration,
    ttlSeconds: terms.ttl,
    notAfter: terms.not_after,
    roleTtlSeconds: 0,
    roleMaxSeconds: 0,
    mount: context.ttl,
    issuerNotAfter: issuer.certificate.notAfter,
    // A CA may be meant to outlive who has signed it first: it may be signed again.
    behavior: "permit",
  });
  const { subject, names, extensions } = requestedOf(terms, checked);
  checkNameConstraints(issuer.chain, { subject, altNames: names, isCa: true });
  const { notBefore, notAfter } = validity;
  const serial = newSerial(context.random);
  const content = contentOf(
    {
      serial,
      subject,
      names,
      notBefore,
      notAfter,
      publicKey: checked.csr.publicKey,
      extensions,
      ...(terms.skid === "" ? {} : { subjectKeyId: keyIdIn(terms.skid) }),
    },
    issuedBy(issuer.certificate, issuer.urls),
  );
  const signature = { hashBits: terms.signature_bits, usePss: terms.use_pss };
  const der = buildCertificate(content, signerFor(issuer.key, signature));
  const hex = serial.toString("hex");
  const { crlScope } = issuer.record;
  await context.storage.commit([certWrite(hex, { certificate: der.toString("base64"), crlScope })]);
  const chain = chainDer(issuer.chain);
  const data = describeIssued(
    { der, serial: hex, notAfter, chain: [der, ...chain] },
    issuer.certificate.der,
    {
      format: terms.format === "der" ? "der" : "pem",
      keyForm: "native",
    },
  );
  return { data, warnings: [...validity.warnings, ...warningsFor(issuer, terms, notAfter)] };
}

function warningsFor(issuer: SigningIssuer, terms: SignTerms, notAfter: number): readonly string[] {
  return [
    ...(notAfter > issuer.certificate.notAfter
      ? [
          "The expiration time for the signed certificate is after the CA's expiration time. If the new certificate is not treated as a root, validation paths with the certificate past the issuing CA's expiration time will fail.",
        ]
      : []),
    ...(terms.max_path_length === 0
      ? [
          "Max path length of the signed certificate is zero. This certificate cannot be used to issue intermediate CA certificates.",
        ]
      : []),
  ];
}

/** Extensions that the signing CA writes itself, whatever a request says of them. */
const OWN: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.keyUsage,
  OID.nameConstraints,
  OID.subjectKeyId,
  OID.authorityKeyId,
  OID.authorityInfoAccess,
  OID.crlDistributionPoints,
  OID.freshestCrl,
  OID.subjectAltName,
]);

function requestedOf(terms: SignTerms, { csr }: CheckedCsr) {
  const policies = readPolicies(terms.policy_identifiers);
  const bounds = [...caExtensions(terms), ...(policies.length > 0 ? [certificatePolicies(policies)] : [])];
  if (!terms.use_csr_values) {
    const names = namesFrom(terms);
    const { common_name: commonName, serial_number: serialNumber } = terms;
    return {
      subject: roleSubject(terms, { commonName, serialNumber }),
      names: terms.exclude_cn_from_sans ? names : withCommonName(names, commonName),
      extensions: bounds,
    };
  }
  checkSubject(csr);
  const set = new Set(bounds.map(({ oid }) => oid));
  const extra: readonly Extension[] = csr.extensions.filter(({ oid }) => !OWN.has(oid) && !set.has(oid));
  return { subject: csr.subject, names: namesInCsr(csr), extensions: [...bounds, ...extra] };
}

function keyIdIn(text: string): Buffer {
  const hex = text.replaceAll(":", "");
  if (!/^(?:[0-9a-f]{2}){1,64}$/i.test(hex))
    throw badRequest(`cannot parse given SKID value as hex: ${text}`);
  return Buffer.from(hex, "hex");
}
