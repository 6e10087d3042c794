import { field } from "../../../framework/field.ts";

export const FORMATS = ["pem", "der", "pem_bundle"] as const;
export type Format = (typeof FORMATS)[number];

/** How certificates and keys are answered. */
export const FORMAT_FIELDS = {
  format: field.string({
    description:
      "How certificates are answered: pem, der (as base64), or pem_bundle (key, certificate and chain in one).",
    default: "pem",
    allowed: FORMATS,
  }),
  private_key_format: field.string({
    description: "How a private key is answered: its type's own form, or pkcs8.",
    default: "der",
    allowed: ["", "der", "pem", "pkcs8"],
  }),
};

/** The names that a caller asks for. */
export const NAME_FIELDS = {
  common_name: field.string({ description: "The subject's common name." }),
  alt_names: field.string({ description: "DNS names and mail addresses, separated by commas." }),
  ip_sans: field.commaStringList({ description: "IP addresses." }),
  uri_sans: field.commaStringList({ description: "URIs." }),
  other_sans: field.commaStringList({ description: "Other names, each as OID;UTF8:value." }),
  serial_number: field.string({ description: "The subject's attribute serialNumber." }),
  exclude_cn_from_sans: field.bool({
    description: "The common name is not put among the alternative names.",
  }),
};

/** How long the certificate is to be valid. */
export const VALIDITY_FIELDS = {
  ttl: field.duration({ description: "How long; 0: as the role says, else the mount." }),
  not_after: field.string({ description: "Until when, YYYY-MM-ddTHH:MM:SSZ, instead of ttl." }),
};

/** What `issue` and `sign` have in common. */
export const ISSUE_FIELDS = {
  role: field.string({ description: "The role's name." }),
  ...NAME_FIELDS,
  ...VALIDITY_FIELDS,
  ...FORMAT_FIELDS,
  user_ids: field.commaStringList({ description: "User ids of the subject." }),
  remove_roots_from_chain: field.bool({
    description: "ca_chain holds no certificates that sign themselves.",
  }),
};

export const ISSUER_FIELD = {
  issuer_ref: field.string({ description: "The issuer: its id, its name, or default.", default: "default" }),
};

export const KEY_FIELDS = {
  key_type: field.string({ description: "The key's type, where the role allows any: rsa, ec or ed25519." }),
  key_bits: field.int({ description: "The key's size, where the role allows any.", default: 0 }),
  format: field.string({
    description:
      "How certificate and key are answered: pem, der (as base64), pem_bundle (key, certificate and chain in one), or " +
      "pkcs12 (the same as a PKCS#12 bundle, in base64, for Java and Windows).",
    default: "pem",
    allowed: [...FORMATS, "pkcs12"],
  }),
  pkcs12_password: field.string({
    description: "The password of the PKCS#12 bundle. Without it one is made, and answered with the bundle.",
    sensitive: true,
  }),
};

export const CSR_FIELD = {
  csr: field.string({ description: "The request to sign, PKCS#10 in PEM." }),
};
