import type { Reason } from "../reason.ts";

const ENTERPRISE = "of Vault's enterprise edition: there are no managed keys, clusters or metadata here";
const ROLES_ISSUER =
  "the role says which issuer it is; another one is chosen by the path below `issuer/`, which policies see";
const VERBATIM = "a request that is signed verbatim says itself what it is called; Vault ignores these";
const UNUSED = "declared by Vault for paths beside it; it has no meaning here";

const MANAGED_KEYS = ["managed_key_id", "managed_key_name"];
const VERBATIM_NAMES = [
  "alt_names",
  "common_name",
  "exclude_cn_from_sans",
  "ip_sans",
  "other_sans",
  "serial_number",
  "uri_sans",
  "user_ids",
];
const TIDY_ENTERPRISE = [
  "revocation_queue_safety_buffer",
  "tidy_cert_metadata",
  "tidy_cross_cluster_revoked_certs",
  "tidy_revocation_queue",
];

const managedKeys = [
  "pki/intermediate/cross-sign",
  "pki/intermediate/generate/{exported}",
  "pki/issuers/generate/intermediate/{exported}",
  "pki/issuers/generate/root/{exported}",
  "pki/keys/generate/exported",
  "pki/keys/generate/internal",
  "pki/root/generate/{exported}",
  "pki/root/rotate/{exported}",
].map((path): Reason => ({ path, parameters: MANAGED_KEYS, reason: ENTERPRISE }));

const verbatim = [
  "pki/issuer/{issuer_ref}/sign-verbatim",
  "pki/issuer/{issuer_ref}/sign-verbatim/{role}",
  "pki/sign-verbatim",
  "pki/sign-verbatim/{role}",
].map((path): Reason => ({ path, parameters: VERBATIM_NAMES, reason: VERBATIM }));

const crls = ["crl", "crl/delta", "crl/delta/der", "crl/delta/pem", "crl/der", "crl/pem"].map(
  (name): Reason => ({
    path: `pki/issuer/{issuer_ref}/${name}`,
    parameters: ["issuer_name"],
    reason: UNUSED,
  }),
);

const rolesIssuer = ["pki/issue/{role}", "pki/sign/{role}", "pki/sign-verbatim/{role}"].map(
  (path): Reason => ({ path, parameters: ["issuer_ref"], reason: ROLES_ISSUER }),
);

export const REASONS: readonly Reason[] = [
  { path: "pki/config/auto-tidy", parameters: TIDY_ENTERPRISE, reason: ENTERPRISE },
  { path: "pki/tidy", parameters: TIDY_ENTERPRISE, reason: ENTERPRISE },
  {
    path: "pki/config/crl",
    parameters: ["cross_cluster_revocation", "unified_crl", "unified_crl_on_existing_paths"],
    reason: ENTERPRISE,
  },
  { path: "pki/keys/generate/kms", reason: ENTERPRISE },
  { path: "pki/roles/{name}", parameters: ["no_store_metadata"], reason: ENTERPRISE },
  { path: "pki/roles/{name}", parameters: ["backend"], reason: UNUSED },
  { path: "pki/root/sign-intermediate", parameters: ["issuer_name"], reason: UNUSED },
  { path: "pki/issuer/{issuer_ref}/sign-intermediate", parameters: ["issuer_name"], reason: UNUSED },
  ...managedKeys,
  ...verbatim,
  ...crls,
  ...rolesIssuer,
];
