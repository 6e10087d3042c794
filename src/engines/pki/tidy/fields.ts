import { field, type Values } from "../../../framework/field.ts";

/** What a tidy does, and how long after expiry. */
export const TIDY_FIELDS = {
  tidy_cert_store: field.bool({ description: "Remove certificates that have expired." }),
  tidy_revoked_certs: field.bool({ description: "Remove revocations of certificates that have expired." }),
  tidy_revocation_list: field.bool({
    description: "The older name of tidy_revoked_certs.",
    deprecated: true,
  }),
  tidy_revoked_cert_issuer_associations: field.bool({
    description: "Count revocations whose issuer is not here; here they are always tied to their CRL.",
  }),
  tidy_expired_issuers: field.bool({ description: "Remove issuers that have expired. Keys stay." }),
  tidy_move_legacy_ca_bundle: field.bool({ description: "Nothing: there are no bundles of old here." }),
  tidy_acme: field.bool({ description: "Remove ACME accounts and orders that are over." }),
  safety_buffer: field.duration({
    description: "How long after its expiry a certificate is removed.",
    default: 72 * 3600,
  }),
  issuer_safety_buffer: field.duration({
    description: "How long after its expiry an issuer is removed.",
    default: 8760 * 3600,
  }),
  acme_account_safety_buffer: field.duration({
    description: "How long an ACME account without orders stays before it is revoked, and then removed.",
    default: 720 * 3600,
  }),
  pause_duration: field.string({ description: "A pause after each certificate.", default: "0s" }),
};

/** A tidy's parameters, as they are given. */
export type TidyTerms = Omit<Values<typeof TIDY_FIELDS>, "tidy_revocation_list">;

/** The parameters that choose what is done, as messages list them. */
export const TIDY_CHOICES = [
  "tidy_cert_store",
  "tidy_revoked_certs",
  "tidy_revoked_cert_issuer_associations",
  "tidy_expired_issuers",
  "tidy_move_legacy_ca_bundle",
  "tidy_acme",
] as const;
