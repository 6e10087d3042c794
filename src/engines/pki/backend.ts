import type { Backend, MountContext } from "../../framework/backend.ts";
import { rootPaths } from "./ca/root-paths.ts";
import { issuePaths } from "./issue/paths.ts";
import { rolePaths } from "./roles/paths.ts";

/** The PKI engine: certificate authorities, and what they issue. */
export function pkiEngine(context: MountContext): Backend {
  return {
    help:
      "The pki engine keeps certificate authorities and issues certificates: with keys that it makes, or for requests. What " +
      "may be issued is defined by roles.",
    paths: [...rootPaths(context), ...rolePaths(context), ...issuePaths(context)],
    secrets: [],
  };
}
