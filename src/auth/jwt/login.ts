import { isAddressIn } from "../../base/cidr.ts";
import { ApiError, aggregate, badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { AuthContext, LoginGrant } from "../../framework/auth.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { grantOf } from "../../framework/token-fields.ts";
import { checkBoundClaims, checkRegisteredClaims, groupsOf, metadataOf, userOf } from "./claims.ts";
import { type Config, readConfig } from "./config.ts";
import type { KeyCache } from "./key-source.ts";
import { type Role, readRole } from "./role.ts";
import { verifiedClaims } from "./verify.ts";

const TOKEN_CHARS_MAX = 65_536;

/** `login`. @see reference: JWT, the order of its checks. */
export function loginPath(context: AuthContext, cache: KeyCache): PathSpec {
  return path({
    pattern: "login",
    unauthenticated: true,
    fields: {
      role: field.lowerCaseString({ description: "The role; by default the configuration's." }),
      jwt: field.string({ description: "The token of the issuer.", sensitive: true }),
    },
    help: { synopsis: "Log in with a token of the configured issuer." },
    operations: {
      update: {
        summary: "Log in.",
        handler: async ({ values, remoteAddress }) => {
          const config = await readConfig(context.storage);
          if (config === null) throw badRequest("could not load configuration");
          const name = values.role || config.defaultRole;
          const role = await requireRole(context, name);
          checkToken(values.jwt);
          checkAddress(role, remoteAddress);
          const claims = await verifiedClaims(values.jwt, config, cache);
          return { login: grantFor(claims, name, role, config, context.clock.now()) };
        },
      },
    },
  });
}

async function requireRole({ storage }: AuthContext, name: string): Promise<Role> {
  if (name === "") throw badRequest("missing role");
  // Names that no path could have written would only be odd keys in the store.
  const role = /^\w(?:[\w.-]*\w)?$/.test(name) ? await readRole(storage, name) : null;
  if (role === null) throw badRequest(`role ${JSON.stringify(name.slice(0, 128))} could not be found`);
  return role;
}

function checkToken(token: string): void {
  if (token === "") throw badRequest("missing token");
  if (token.length > TOKEN_CHARS_MAX) {
    throw badRequest("error validating token: error verifying token signature: the token is too long");
  }
}

function checkAddress({ terms }: Role, remoteAddress: string | null): void {
  if (terms.boundCidrs.length === 0 || isAddressIn(remoteAddress, terms.boundCidrs)) return;
  throw new ApiError(403, "permission denied");
}

function grantFor(claims: JsonObject, name: string, role: Role, config: Config, now: number): LoginGrant {
  checkRegisteredClaims(claims, role, config.boundIssuer, now);
  const user = userOf(claims, role);
  const groups = groupsOf(claims, role);
  checkBoundClaims(claims, role);
  const mapped = metadataOf(claims, role);
  return grant(role, { role: name, user, groups, metadata: { ...mapped, role: name } });
}

/** Who logged in, as it is kept with the token. */
interface Login {
  readonly role: string;
  readonly user: string;
  readonly groups: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

function grant(role: Role, login: Login): LoginGrant {
  return {
    ...grantOf(role.terms),
    displayName: login.user,
    alias: { name: login.user, metadata: login.metadata },
    groupAliases: login.groups,
    metadata: login.metadata,
    internal: { ...login },
  };
}

/** The role's present terms for a token that came from it. @throws ApiError 500 when the role is gone. */
export async function renew({ storage }: AuthContext, internal: JsonObject): Promise<LoginGrant> {
  const login = internal as unknown as Login;
  const role = await readRole(storage, login.role);
  if (role === null) {
    throw new ApiError(500, aggregate(`role ${login.role} does not exist during renewal`));
  }
  return grant(role, login);
}
