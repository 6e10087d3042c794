import type { Reason } from "../reason.ts";

const ENTERPRISE = "of Vault's enterprise edition: keys of these types are not offered";

export const REASONS: readonly Reason[] = [
  {
    path: "transit/keys/{name}",
    parameters: [
      "hybrid_key_type_ec",
      "hybrid_key_type_pqc",
      "managed_key_id",
      "managed_key_name",
      "parameter_set",
    ],
    reason: ENTERPRISE,
  },
  { path: "transit/verify/{name}", parameters: ["cmac"], reason: ENTERPRISE },
  { path: "transit/verify/{name}/{urlalgorithm}", parameters: ["cmac"], reason: ENTERPRISE },
];
