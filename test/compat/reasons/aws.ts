import type { Reason } from "../reason.ts";

export const REASONS: readonly Reason[] = [
  {
    path: "aws/config/root",
    parameters: ["identity_token_audience", "identity_token_key", "identity_token_ttl"],
    reason:
      "refused: vsec issues no identity tokens, because AWS could not ask it for their keys; those of another issuer are used by way of AWS_WEB_IDENTITY_TOKEN_FILE",
  },
];
