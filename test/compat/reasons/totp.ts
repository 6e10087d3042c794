import type { Reason } from "../reason.ts";

export const REASONS: readonly Reason[] = [
  {
    path: "totp/code/{name}",
    parameters: ["period"],
    reason: "part of OpenBao's answer, and no parameter of Vault's",
  },
];
