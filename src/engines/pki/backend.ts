import type { Backend, MountContext } from "../../framework/backend.ts";
import { isAcmeKey, settleAcme } from "./acme/due.ts";
import { engineSource } from "./acme/engine-source.ts";
import { acmePaths } from "./acme/paths.ts";
import { rootPaths } from "./ca/root-paths.ts";
import { issuePaths } from "./issue/paths.ts";
import { rolePaths } from "./roles/paths.ts";

/** The PKI engine: certificate authorities, and what they issue. */
export function pkiEngine(context: MountContext): Backend {
  return {
    help:
      "The pki engine keeps certificate authorities and issues certificates: with keys that it makes, or for requests. What " +
      "may be issued is defined by roles.",
    paths: [
      ...rootPaths(context),
      ...rolePaths(context),
      ...issuePaths(context),
      ...acmePaths(context, engineSource(context)),
    ],
    secrets: [],
    due: async (key) => {
      if (isAcmeKey(key)) await settleAcme(context, key);
    },
  };
}
