import { badRequest } from "../../../base/errors.ts";
import { type MountContext, type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import { field } from "../../../framework/field.ts";
import { checkNameConstraints } from "../constraints/enforce.ts";
import { checkPathLength } from "../constraints/path-length.ts";
import { givenCertificate } from "../given-certificate.ts";
import { ISSUER_FIELD } from "../issue/fields.ts";
import { type IssuingAuthority, issuingAuthority, type SigningIssuer } from "../issuers/signing.ts";
import {
  buildCertificate,
  type Certificate,
  isCa,
  publicKeyOf,
  subjectKeyIdOf,
} from "../x509/certificate.ts";
import { authorityKeyId, findExtension } from "../x509/extensions.ts";
import { NO_NAMES } from "../x509/general-names.ts";
import { kindOf } from "../x509/keys.ts";
import { OID } from "../x509/oids.ts";
import { pem } from "../x509/pem.ts";
import { signerFor } from "../x509/signature.ts";

const FIELDS = {
  ...ISSUER_FIELD,
  certificate: field.string({ description: "The CA's certificate that it has signed itself, in PEM." }),
  require_matching_certificate_algorithms: field.bool({
    description: "Refuse a certificate whose key is of another type than the issuer's.",
  }),
};

/** `root/sign-self-issued`, which needs sudo, and `issuer/:issuer_ref/sign-self-issued`. @see reference: intermediates. */
export function signSelfIssuedPaths(context: MountContext): PathSpec[] {
  return ["root/sign-self-issued", "issuer/:issuer_ref/sign-self-issued"].map((pattern) =>
    path({
      pattern,
      sudo: pattern.startsWith("root/"),
      fields: FIELDS,
      help: {
        synopsis: "Sign another CA's own certificate, as it is.",
        description:
          "For moving from one root to another: who trusts the old one then trusts the new one too.",
      },
      operations: {
        update: {
          summary: "Sign another CA's own certificate.",
          handler: async ({ values }) => {
            const given = givenCa(values.certificate);
            const issuer = await issuingAuthority(context.storage, values.issuer_ref);
            if (values.require_matching_certificate_algorithms) checkAlgorithms(given, issuer);
            return crossSign(given, issuer);
          },
        },
      },
    }),
  );
}

function givenCa(text: string): Certificate {
  if (text === "") throw badRequest("no certificate provided");
  const certificate = givenCertificate("certificate", text);
  if (!isCa(certificate)) throw badRequest("given certificate is not a CA certificate");
  if (!certificate.issuer.equals(certificate.subject))
    throw badRequest("given certificate is not self-issued");
  return certificate;
}

function checkAlgorithms(given: Certificate, issuer: SigningIssuer): void {
  if (kindOf(publicKeyOf(given))?.type === kindOf(issuer.key)?.type) return;
  throw badRequest("the given certificate's key is of another type than the issuer's");
}

/** As in Vault it is not kept: its serial number is the other CA's. It is revoked by being given as such. */
function crossSign(given: Certificate, issuer: IssuingAuthority): Reply {
  checkPathLength(issuer.chain);
  const altNames = findExtension(given.extensions, OID.subjectAltName)?.value ?? NO_NAMES;
  checkNameConstraints(issuer.chain, { subject: given.subject, altNames, isCa: true });
  const content = {
    ...given,
    serial: Buffer.from(given.serial, "hex"),
    issuer: issuer.certificate.subject,
    extensions: [
      ...given.extensions.filter(({ oid }) => oid !== OID.authorityKeyId),
      authorityKeyId(subjectKeyIdOf(issuer.certificate)),
    ],
  };
  const der = buildCertificate(content, signerFor(issuer.key));
  return {
    data: { certificate: pem("CERTIFICATE", der), issuing_ca: pem("CERTIFICATE", issuer.certificate.der) },
  };
}
