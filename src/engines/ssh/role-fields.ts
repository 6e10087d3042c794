import { field } from "../../framework/field.ts";

const template = (of: string) =>
  field.bool({
    description: `Of ca: ${of} may hold templates that the caller's identity fills.`,
    default: false,
  });

/** The parameters of a role. */
export const ROLE_FIELDS = {
  role: field.string({ description: "The role's name." }),
  key_type: field.string({
    description: "ca for certificates, otp for one-time passwords.",
    required: true,
    allowed: ["otp", "ca"],
  }),
  default_user: field.string({ description: "The user where a request names none." }),
  default_user_template: template("default_user"),
  cidr_list: field.string({ description: "Of otp: the hosts' addresses, with commas." }),
  exclude_cidr_list: field.string({ description: "Of otp: addresses that are none, with commas." }),
  port: field.int({ description: "Of otp: shown with the password.", default: 22 }),
  allowed_users: field.string({ description: "Users that requests may name, with commas; * for any." }),
  allowed_users_template: template("allowed_users"),
  allowed_domains: field.string({ description: "Of host certificates: domains, with commas; * for any." }),
  allowed_domains_template: template("allowed_domains"),
  ttl: field.duration({ description: "How long certificates are good; 0 for the mount's." }),
  max_ttl: field.duration({ description: "How long they are good at most; 0 for the mount's." }),
  allowed_critical_options: field.string({
    description: "Critical options that requests may name, with commas; empty for any.",
  }),
  allowed_extensions: field.string({
    description: "Extensions that requests may name, with commas; empty for none, * for any.",
  }),
  default_critical_options: field.kvPairs({ description: "Critical options where a request names none." }),
  default_extensions: field.kvPairs({ description: "Extensions where a request names none." }),
  default_extensions_template: template("default_extensions"),
  allow_user_certificates: field.bool({ description: "Give certificates to users.", default: false }),
  allow_host_certificates: field.bool({ description: "Give certificates to hosts.", default: false }),
  allow_bare_domains: field.bool({ description: "Hosts may be called as an allowed domain itself." }),
  allow_subdomains: field.bool({ description: "Hosts may be below an allowed domain." }),
  allow_user_key_ids: field.bool({ description: "Requests may choose the key id." }),
  allow_empty_principals: field.bool({
    description: "Certificates may be for no principal, which is to say for any.",
  }),
  key_id_format: field.string({
    description: "The key id: {{token_display_name}}, {{role_name}} and {{public_key_hash}} are replaced.",
  }),
  allowed_user_key_lengths: field.map({
    description: "Kinds of keys, each with the bits it may have: a number or a list. Empty for any.",
  }),
  algorithm_signer: field.string({
    description: "How an RSA authority signs; default for rsa-sha2-256.",
    allowed: ["", "default", "ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"],
  }),
  not_before_duration: field.duration({
    description: "By how much the beginning is set back, for clocks that are late.",
    default: 30,
  }),
};
