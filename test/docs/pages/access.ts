/** The pages about who may do what, and who did. */

import type { PageExamples } from "../examples.ts";
import { initStore } from "./stores.ts";

const CRYPTOGRAPHY: PageExamples = {
  page: "docs/cryptography.md",
  prepare: initStore,
  figures: {
    "seal ──gives──▶": "a drawing",
    "parent = plain path": "a definition; test/barrier/vectors.json says the same in bytes",
  },
};

export const ACCESS_PAGES: readonly PageExamples[] = [
  {
    page: "docs/policies.md",
    prepare: initStore,
  },
  {
    page: "docs/password-policies.md",
    prepare: initStore,
  },
  {
    page: "docs/audit.md",
    prepare: async (at) => {
      at.replaced.set("/var/log/vsec", at.at("log"));
      await initStore(at);
    },
  },
  CRYPTOGRAPHY,
];
