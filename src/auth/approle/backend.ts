import type { AuthContext } from "../../framework/auth.ts";
import type { Backend } from "../../framework/backend.ts";
import { loginPath, renew } from "./login.ts";
import { rolePaths } from "./role-paths.ts";
import { roleSettingPaths } from "./role-setting-paths.ts";
import { settleDue } from "./secret-id.ts";
import { secretIdPaths } from "./secret-id-paths.ts";

/** The AppRole auth method. @see reference: approle. */
export function approleMethod(context: AuthContext): Backend {
  return {
    help:
      "AppRole logs machines in. Define a role, read its role id, write to role/<role>/secret-id for a secret id, and log " +
      "in with both at login.",
    paths: [
      ...rolePaths(context),
      ...roleSettingPaths(context),
      ...secretIdPaths(context),
      loginPath(context),
    ],
    secrets: [],
    renewLogin: (internal) => renew(context, internal),
    due: (key) => settleDue(context, key),
  };
}
