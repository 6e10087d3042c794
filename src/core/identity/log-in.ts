import type { JsonObject } from "../../base/json.ts";
import type { LoginGrant } from "../../framework/auth.ts";
import type { Route } from "../route.ts";
import type { Services } from "../services.ts";
import { tokenForLogin } from "../tokens/login.ts";
import { entityForLogin, standingOf } from "./login.ts";

/** Makes the token of a login: the caller's entity is found or made, then the token in its name. */
export async function logIn(
  services: Services,
  { entry, backend, mountPath }: Route,
  grant: LoginGrant,
  path: string,
  { remoteAddress }: { readonly remoteAddress: string | null },
): Promise<{ readonly auth: JsonObject; readonly warnings: readonly string[] }> {
  if (entry === null) throw new TypeError(`${mountPath} has no logins`);
  const view = await entityForLogin(services, entry, grant.alias);
  const entity = view === null ? null : await standingOf(services, view.id);
  const identity = { entityId: view?.id ?? "", policies: entity?.policies ?? [] };
  const { created, auth } = await tokenForLogin(
    services,
    { entry, backend },
    grant,
    path,
    remoteAddress,
    identity,
  );
  return { auth, warnings: created.warnings };
}
