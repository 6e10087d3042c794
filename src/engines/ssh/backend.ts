import type { Backend, MountContext } from "../../framework/backend.ts";
import { authorityPaths } from "./authority.ts";
import { oneTimeSecret } from "./one-time-secret.ts";
import { otpPaths } from "./otp-paths.ts";
import { rolePaths } from "./role-paths.ts";
import { signPaths } from "./sign-paths.ts";
import { zeroAddressPath } from "./zero-address.ts";

/** The SSH engine: certificates for users and hosts, and one-time passwords. */
export function sshEngine(context: MountContext): Backend {
  return {
    help:
      "The ssh engine signs the keys of users and hosts, so that who trusts its own key trusts them for a while, and issues " +
      "passwords that are good for one login.",
    paths: [
      ...rolePaths(context),
      ...authorityPaths(context),
      ...signPaths(context),
      ...otpPaths(context),
      zeroAddressPath(context),
    ],
    secrets: [oneTimeSecret(context)],
  };
}
