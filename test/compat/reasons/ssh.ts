import type { Reason } from "../reason.ts";

export const REASONS: readonly Reason[] = [
  {
    path: "ssh/tidy/dynamic-keys",
    reason: "roles of type dynamic are no more: there are no keys of theirs to tidy",
  },
];
