import type { AuthContext } from "../../framework/auth.ts";
import type { Backend } from "../../framework/backend.ts";
import { loginPath, renew } from "./login.ts";
import { userPaths } from "./user-paths.ts";

/** The userpass auth method. @see reference: userpass. */
export function userpassMethod(context: AuthContext): Backend {
  return {
    help: "Userpass logs people in with a name and a password. Make users at users/<name>; log in at login/<name>.",
    paths: [...userPaths(context), loginPath(context)],
    secrets: [],
    renewLogin: (internal) => renew(context, internal),
  };
}
