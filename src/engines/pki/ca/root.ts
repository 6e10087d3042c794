import { badRequest } from "../../../base/errors.ts";
import { randomUuid } from "../../../base/random.ts";
import type { MountContext, Reply } from "../../../framework/backend.ts";
import type { Values } from "../../../framework/field.ts";
import { type AnswerForm, answerForm, describeIssued } from "../issue/answer.ts";
import { contentOf, roleSubject } from "../issue/content.ts";
import { namesFrom, withCommonName } from "../issue/requested.ts";
import { certWrite } from "../issue/store.ts";
import { validityOf } from "../issue/validity.ts";
import { checkIssuerName, checkKeyName, newIssuer, withIssuer, withKey } from "../issuers/add.ts";
import { type CaSet, changeCas } from "../issuers/change.ts";
import { type IssuerRecord, NO_URLS } from "../issuers/record.ts";
import { hasUrls, urlsFor } from "../issuers/urls.ts";
import { checkSignatureBits } from "../roles/check.ts";
import { newSerial } from "../serial.ts";
import { buildCertificate, type Certificate, readCertificate } from "../x509/certificate.ts";
import { keyIdOf } from "../x509/keys.ts";
import { signerFor } from "../x509/signature.ts";
import { caExtensions } from "./extensions.ts";
import type { CA_ISSUE_FIELDS, CA_KEY_FIELDS, CA_NAME_FIELDS } from "./fields.ts";
import { type KeyMaterial, keyMaterial } from "./key-material.ts";

export type RootTerms = Values<typeof CA_NAME_FIELDS & typeof CA_KEY_FIELDS & typeof CA_ISSUE_FIELDS>;

/** Makes a root: a CA that signs itself. It is one more issuer; what was there stays. @throws ApiError 400 */
export async function generateRoot(
  context: MountContext,
  terms: RootTerms,
  nameIt: (set: CaSet) => string = () => terms.issuer_name,
): Promise<Reply> {
  const form = answerForm(terms.format, terms.private_key_format);
  checkSignatureBits(terms.signature_bits);
  const extensions = caExtensions(terms);
  const names = terms.exclude_cn_from_sans
    ? namesFrom(terms)
    : withCommonName(namesFrom(terms), terms.common_name);
  const validity = selfValidity(context, terms);
  const material = await keyMaterial(context, terms);
  const id = randomUuid(context.random);
  const urls = await urlsFor(context.storage, { id, urls: NO_URLS });
  const publicKey = Buffer.from(material.record.publicKey, "base64");
  const subject = roleSubject(terms, { commonName: terms.common_name, serialNumber: terms.serial_number });
  const { notBefore, notAfter } = validity;
  const draft = {
    serial: newSerial(context.random),
    subject,
    names,
    notBefore,
    notAfter,
    publicKey,
    extensions,
  };
  const content = contentOf(draft, { subject, keyId: keyIdOf(publicKey), urls });
  const signer = signerFor(material.key, { hashBits: terms.signature_bits, usePss: terms.use_pss });
  const certificate = readCertificate(buildCertificate(content, signer));
  const issuer = await keep(context, id, certificate, material, nameIt);
  return {
    data: describe(issuer, certificate, material, form),
    warnings: [...validity.warnings, ...warningsFor(terms, hasUrls(urls))],
  };
}

/** How long a CA that signs itself is valid: as long as the mount allows. @throws ApiError 400 */
function selfValidity({ clock, ttl }: MountContext, terms: RootTerms) {
  return validityOf({
    now: clock.now(),
    notBeforeSeconds: terms.not_before_duration,
    ttlSeconds: terms.ttl,
    notAfter: terms.not_after,
    roleTtlSeconds: 0,
    roleMaxSeconds: 0,
    mount: ttl,
    issuerNotAfter: null,
    behavior: "err",
  });
}

function keep(
  context: MountContext,
  id: string,
  certificate: Certificate,
  { record: key, isNew }: KeyMaterial,
  nameIt: (set: CaSet) => string,
): Promise<IssuerRecord> {
  return changeCas(context, (present) => {
    const name = nameIt(present);
    checkIssuerName(present, name);
    if (isNew) checkKeyName(present, key.name);
    if (!isNew && !present.keys.some((one) => one.id === key.id)) {
      throw badRequest("the key was deleted meanwhile");
    }
    const issuer = newIssuer(id, name, key.id, certificate);
    const set = withIssuer(isNew ? withKey(present, key) : present, issuer);
    const kept = { certificate: issuer.certificate, crlScope: issuer.crlScope };
    return { set, also: [certWrite(certificate.serial, kept)], result: issuer };
  });
}

function describe(issuer: IssuerRecord, certificate: Certificate, material: KeyMaterial, form: AnswerForm) {
  const { der, serial, notAfter } = certificate;
  const { ca_chain: _chain, ...data } = describeIssued(
    { der, serial, notAfter, chain: [] },
    der,
    form,
    material.isShown ? material.key : undefined,
  );
  return {
    ...data,
    issuer_id: issuer.id,
    issuer_name: issuer.name,
    key_id: material.record.id,
    key_name: material.record.name,
  };
}

function warningsFor(terms: RootTerms, isPublished: boolean): readonly string[] {
  return [
    ...(isPublished
      ? []
      : [
          "This mount hasn't configured any authority information access (AIA) fields; this may make it harder for systems to find missing certificates in the chain or to validate revocation status of certificates. Consider updating /config/urls or the newly generated issuer with this information.",
        ]),
    ...(terms.common_name === ""
      ? [
          "This issuer certificate was generated without a Subject; this makes it likely that issuing leaf certs with this certificate will cause TLS validation libraries to reject this certificate.",
        ]
      : []),
    ...(terms.max_path_length === 0
      ? [
          "Max path length of the generated certificate is zero. This certificate cannot be used to issue intermediate CA certificates.",
        ]
      : []),
  ];
}
