import type { Reason } from "../reason.ts";

export const REASONS: readonly Reason[] = [
  {
    path: "database/reload/{plugin_name}",
    reason: "plugins are part of the binary: there is nothing to reload",
  },
];
