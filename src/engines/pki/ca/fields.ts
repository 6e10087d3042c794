import { field } from "../../../framework/field.ts";
import { FORMAT_FIELDS, NAME_FIELDS, VALIDITY_FIELDS } from "../issue/fields.ts";
import { SIGNATURE_FIELDS, SUBJECT_FIELDS, USAGE_FIELDS } from "../roles/fields.ts";

/** What a CA is called, for how long, and how it is answered. */
export const CA_NAME_FIELDS = {
  ...NAME_FIELDS,
  ...VALIDITY_FIELDS,
  ...FORMAT_FIELDS,
  ...SUBJECT_FIELDS,
  not_before_duration: field.duration({
    description: "How far back validity begins, for clocks that are behind.",
    default: 30,
  }),
};

/** The key of a CA: one to be made, or one that is there. */
export const CA_KEY_FIELDS = {
  exported: field.string({
    description:
      "internal: the key is never shown; exported: it is in the answer; existing: key_ref is used.",
    allowed: ["internal", "exported", "existing"],
  }),
  key_type: field.string({
    description: "The key's type.",
    default: "rsa",
    allowed: ["rsa", "ec", "ed25519"],
  }),
  key_bits: field.int({ description: "The key's size; 0: 2048 for rsa, 256 for ec.", default: 0 }),
  key_name: field.string({ description: "A name for the key." }),
  key_ref: field.string({
    description: "The key to use with existing: its id, its name, or default.",
    default: "default",
  }),
  ...SIGNATURE_FIELDS,
};

/** What a CA may issue, and under which names. */
export const CA_ISSUE_FIELDS = {
  ...USAGE_FIELDS,
  key_usage: field.commaStringList({
    description: "What the key may be used for besides signing certificates and CRLs.",
  }),
  max_path_length: field.int({
    description: "How many CAs may be below this one; -1: any number.",
    default: -1,
  }),
  permitted_dns_domains: field.commaStringList({
    description: "Domains that certificates below may be for.",
  }),
  excluded_dns_domains: field.commaStringList({
    description: "Domains that certificates below may not be for.",
  }),
  permitted_ip_ranges: field.commaStringList({
    description: "Address blocks that certificates below may be for.",
  }),
  excluded_ip_ranges: field.commaStringList({
    description: "Address blocks that certificates below may not be for.",
  }),
  permitted_email_addresses: field.commaStringList({
    description: "Addresses that certificates below may be for.",
  }),
  excluded_email_addresses: field.commaStringList({
    description: "Addresses that certificates below may not be for.",
  }),
  permitted_uri_domains: field.commaStringList({
    description: "Hosts of URIs that certificates below may be for.",
  }),
  excluded_uri_domains: field.commaStringList({
    description: "Hosts of URIs that certificates below may not be for.",
  }),
  issuer_name: field.string({ description: "A name for the issuer." }),
};
