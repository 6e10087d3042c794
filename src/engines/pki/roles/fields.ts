import { field } from "../../../framework/field.ts";

/** Subject fields, which roles and CAs have in common. */
export const SUBJECT_FIELDS = {
  ou: field.commaStringList({ description: "Organizational units of the subject." }),
  organization: field.commaStringList({ description: "Organizations of the subject." }),
  country: field.commaStringList({ description: "Countries of the subject." }),
  locality: field.commaStringList({ description: "Localities of the subject." }),
  province: field.commaStringList({ description: "Provinces of the subject." }),
  street_address: field.commaStringList({ description: "Street addresses of the subject." }),
  postal_code: field.commaStringList({ description: "Postal codes of the subject." }),
};

/** What a certificate may be used for. */
export const USAGE_FIELDS = {
  key_usage: field.commaStringList({
    description: "What the key may be used for, by the names of Go's x509.KeyUsage; an empty list for none.",
    default: ["DigitalSignature", "KeyAgreement", "KeyEncipherment"],
  }),
  ext_key_usage: field.commaStringList({
    description: "Further purposes of the certificate, by the names of Go's x509.ExtKeyUsage.",
    default: [],
  }),
  ext_key_usage_oids: field.commaStringList({
    description: "Further purposes of the certificate, as object identifiers.",
  }),
};

/** How a certificate is signed. */
export const SIGNATURE_FIELDS = {
  signature_bits: field.int({
    description: "Bits of the hash under an RSA signature: 256, 384 or 512; 0: 256. A curve has its own.",
    default: 0,
  }),
  use_pss: field.bool({ description: "RSA signatures are RSASSA-PSS instead of PKCS#1 v1.5." }),
};

/** Names that a role allows. */
const NAME_FIELDS = {
  allow_localhost: field.bool({ description: "Whether localhost is allowed as a name.", default: true }),
  allowed_domains: field.commaStringList({
    description: "The domains that allow_bare_domains, allow_subdomains and allow_glob_domains are about.",
  }),
  allowed_domains_template: field.bool({
    description: "allowed_domains holds templates that the caller's identity fills.",
  }),
  allow_bare_domains: field.bool({ description: "The allowed domains themselves are allowed." }),
  allow_subdomains: field.bool({
    description: "What is below the allowed domains is allowed, at any depth.",
  }),
  allow_glob_domains: field.bool({ description: "A * in an allowed domain stands for anything." }),
  allow_wildcard_certificates: field.bool({
    description: "Names with a wildcard are allowed, where the rest of the name is.",
    default: true,
  }),
  allow_any_name: field.bool({ description: "Any name is allowed." }),
  enforce_hostnames: field.bool({
    description: "Only valid host names are allowed, also after the @ of an address.",
    default: true,
  }),
  allow_ip_sans: field.bool({ description: "IP addresses are allowed.", default: true }),
  allowed_uri_sans: field.commaStringList({
    description: "URIs that are allowed; a * stands for anything. None: no URI is.",
  }),
  allowed_uri_sans_template: field.bool({
    description: "allowed_uri_sans holds templates that the caller's identity fills.",
  }),
  allowed_other_sans: field.commaStringList({
    description: "Other names that are allowed, as OID;UTF8:glob; or * alone for any.",
  }),
  allowed_serial_numbers: field.commaStringList({
    description: "Serial numbers of the subject that are allowed; a * stands for anything.",
  }),
  allowed_user_ids: field.commaStringList({
    description: "User ids of the subject that are allowed; a * stands for anything.",
  }),
  require_cn: field.bool({ description: "A common name has to be given.", default: true }),
  cn_validations: field.commaStringList({
    description: "Which forms a common name may have: email, hostname, or disabled alone for any.",
    default: ["email", "hostname"],
  }),
  use_csr_common_name: field.bool({
    description: "When a request is signed, its common name is used.",
    default: true,
  }),
  use_csr_sans: field.bool({
    description: "When a request is signed, its alternative names are used.",
    default: true,
  }),
  serial_number_source: field.string({
    description: "Where the subject's serial number may come from: json-csr, or json alone.",
    default: "json-csr",
    allowed: ["json-csr", "json"],
  }),
};

export const ROLE_FIELDS = {
  name: field.string({ description: "The role's name." }),
  ttl: field.duration({
    description: "How long a certificate is valid when the caller does not say; 0: the mount's.",
  }),
  max_ttl: field.duration({ description: "The longest a certificate may be valid; 0: the mount's maximum." }),
  issuer_ref: field.string({ description: "The issuer: its id, its name, or default.", default: "default" }),
  ...NAME_FIELDS,
  server_flag: field.bool({ description: "Certificates are good for servers.", default: true }),
  client_flag: field.bool({ description: "Certificates are good for clients.", default: true }),
  code_signing_flag: field.bool({ description: "Certificates are good for signing code." }),
  email_protection_flag: field.bool({ description: "Certificates are good for protecting mail." }),
  key_type: field.string({
    description: "The type of key: rsa, ec, ed25519; any when only requests are signed.",
    default: "rsa",
    allowed: ["rsa", "ec", "ed25519", "any"],
  }),
  key_bits: field.int({ description: "The key's size; 0: 2048 for rsa, 256 for ec.", default: 0 }),
  ...SIGNATURE_FIELDS,
  ...USAGE_FIELDS,
  ...SUBJECT_FIELDS,
  policy_identifiers: field.list({
    description: "Policies: object identifiers, or objects with oid, notice and cps.",
  }),
  basic_constraints_valid_for_non_ca: field.bool({
    description: "Certificates say that they are not a CA's.",
  }),
  not_before_duration: field.duration({
    description: "How far back validity begins, for clocks that are behind.",
    default: 30,
  }),
  not_after: field.string({ description: "A fixed end, YYYY-MM-ddTHH:MM:SSZ, instead of a duration." }),
  generate_lease: field.bool({ description: "Certificates are leased, and revoked with the lease." }),
  no_store: field.bool({
    description: "Certificates are not kept: they cannot be listed, or revoked by serial.",
  }),
};
