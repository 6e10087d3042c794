import type { Reason } from "../reason.ts";

export const REASONS: readonly Reason[] = [
  {
    path: "aws/config/root",
    parameters: ["identity_token_audience", "identity_token_key", "identity_token_ttl"],
    reason: "of Vault's enterprise edition: vsec is no issuer of identity tokens that AWS could ask",
  },
  {
    path: "aws/config/root",
    parameters: ["rotation_schedule", "rotation_window"],
    reason: "the root key is rotated by a period; schedules are not there yet",
  },
  {
    path: "aws/static-roles/{name}",
    parameters: ["assume_role_arn", "assume_role_session_name", "external_id"],
    reason: "users of other accounts are not there yet",
  },
];
