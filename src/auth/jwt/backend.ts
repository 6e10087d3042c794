import type { AuthContext } from "../../framework/auth.ts";
import type { Backend } from "../../framework/backend.ts";
import { configPaths } from "./config-paths.ts";
import { KeyCache } from "./key-source.ts";
import { loginPath, renew } from "./login.ts";
import { rolePaths } from "./role-paths.ts";

/** The JWT auth method: tokens that others signed. @see reference: JWT. */
export function jwtMethod(context: AuthContext): Backend {
  const cache = new KeyCache(context);
  return {
    help:
      "JWT logs in whoever holds a token of the issuer that config names: a CI job, a workload. Say at role/<name> which " +
      "tokens may log in, and log in at login.",
    paths: [...configPaths(context), ...rolePaths(context), loginPath(context, cache)],
    secrets: [],
    renewLogin: (internal) => renew(context, internal),
  };
}
