import type { Backend } from "../../framework/backend.ts";
import { tokenIdentity } from "../identity/login.ts";
import type { Services } from "../services.ts";
import type { TokenContext } from "./context.ts";
import { createPaths } from "./create-paths.ts";
import type { TokenIdentity } from "./identity.ts";
import { lookupPaths } from "./lookup-paths.ts";
import { renewPaths } from "./renew-paths.ts";
import { revokePaths } from "./revoke-paths.ts";
import { rolePaths } from "./role-paths.ts";
import { tidyPath } from "./tidy-path.ts";

/** The token auth method, `auth/token/`. @see reference: tokens. */
export function tokenBackend(services: Services, identity: TokenIdentity = tokenIdentity(services)): Backend {
  const context: TokenContext = { services, identity };
  return {
    help: "The token method makes, shows, renews and revokes tokens.",
    paths: [
      ...createPaths(context),
      ...lookupPaths(context),
      ...renewPaths(context),
      ...revokePaths(context),
      ...rolePaths(context),
      tidyPath(context),
    ],
    secrets: [],
  };
}
