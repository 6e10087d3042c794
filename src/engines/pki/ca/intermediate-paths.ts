import { type MountContext, type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import { field, type Values } from "../../../framework/field.ts";
import { answerForm, describeKey } from "../issue/answer.ts";
import { roleSubject } from "../issue/content.ts";
import { namesFrom, withCommonName } from "../issue/requested.ts";
import { checkKeyName, withKey } from "../issuers/add.ts";
import { changeCas } from "../issuers/change.ts";
import { checkSignatureBits } from "../roles/check.ts";
import { buildCsr } from "../x509/csr.ts";
import * as extensions from "../x509/extensions.ts";
import { hasNames } from "../x509/general-names.ts";
import { isEmptyName } from "../x509/name.ts";
import { pem } from "../x509/pem.ts";
import { signerFor } from "../x509/signature.ts";
import { CA_KEY_FIELDS, CA_NAME_FIELDS } from "./fields.ts";
import { keyMaterial } from "./key-material.ts";

const FIELDS = {
  ...CA_NAME_FIELDS,
  ...CA_KEY_FIELDS,
  add_basic_constraints: field.bool({ description: "The request itself says that it is for a CA." }),
};

/** `intermediate/generate`, `issuers/generate/intermediate`, `intermediate/cross-sign`. @see reference: intermediates. */
export function intermediatePaths(context: MountContext): PathSpec[] {
  const generate = (pattern: string): PathSpec =>
    path({
      pattern,
      fields: FIELDS,
      help: {
        synopsis: "Make a key for a CA, and a request that another CA is to sign.",
        description: "What that CA has signed is imported by intermediate/set-signed.",
      },
      operations: {
        update: { summary: "Make a request.", handler: ({ values }) => generateCsr(context, values) },
      },
    });
  return [
    generate("intermediate/generate/:exported"),
    generate("issuers/generate/intermediate/:exported"),
    path({
      pattern: "intermediate/cross-sign",
      fields: FIELDS,
      help: { synopsis: "Make a request for a key that is there, for another CA to sign as well." },
      operations: {
        update: {
          summary: "Make a request for a key that is there.",
          handler: ({ values }) => generateCsr(context, { ...values, exported: "existing" }),
        },
      },
    }),
  ];
}

async function generateCsr(context: MountContext, terms: Values<typeof FIELDS>): Promise<Reply> {
  const form = answerForm(terms.format, terms.private_key_format);
  checkSignatureBits(terms.signature_bits);
  const own = namesFrom(terms);
  const names = terms.exclude_cn_from_sans ? own : withCommonName(own, terms.common_name);
  const subject = roleSubject(terms, { commonName: terms.common_name, serialNumber: terms.serial_number });
  const material = await keyMaterial(context, terms);
  const csr = buildCsr(
    {
      subject,
      publicKey: Buffer.from(material.record.publicKey, "base64"),
      extensions: [
        ...(hasNames(names) ? [extensions.subjectAltName(names, isEmptyName(subject))] : []),
        ...(terms.add_basic_constraints ? [extensions.caConstraints(-1)] : []),
      ],
    },
    signerFor(material.key, { hashBits: terms.signature_bits, usePss: terms.use_pss }),
  );
  if (material.isNew) {
    await changeCas(context, (present) => {
      checkKeyName(present, material.record.name);
      return { set: withKey(present, material.record), result: null };
    });
  }
  const { format } = form;
  return {
    data: {
      csr: format === "der" ? csr.toString("base64") : pem("CERTIFICATE REQUEST", csr),
      key_id: material.record.id,
      ...(material.isShown ? describeKey(material.key, form) : {}),
    },
  };
}
