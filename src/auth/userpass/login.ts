import { isAddressIn } from "../../base/cidr.ts";
import { ApiError, aggregate } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type AuthContext, InvalidCredentials, type LoginGrant } from "../../framework/auth.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { grantOf } from "../../framework/token-fields.ts";
import { isPassword, PASSWORD_BYTES_MAX } from "./password.ts";
import { readUser, type User } from "./user.ts";
import { PASSWORD, USERNAME, USERNAME_CAPTURE } from "./user-paths.ts";

/** `login/:username`. @see reference: userpass. */
export function loginPath(context: AuthContext): PathSpec {
  return path({
    pattern: "login/:username",
    unauthenticated: true,
    captures: USERNAME_CAPTURE,
    fields: { username: USERNAME, password: PASSWORD },
    help: { synopsis: "Log in with a user name and its password." },
    operations: {
      update: {
        summary: "Log in.",
        handler: async ({ values, remoteAddress }) => {
          const { username, password } = values;
          if (password === "") throw new ApiError(500, "missing password");
          const login = await context.logins.attempt(username, () =>
            logIn(context, username, password, remoteAddress),
          );
          return { login };
        },
      },
    },
  });
}

async function logIn(
  { storage }: AuthContext,
  username: string,
  password: string,
  remoteAddress: string | null,
): Promise<LoginGrant> {
  if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) throw invalid();
  const stored = await readUser(storage, username);
  if (!(await isPassword(password, stored?.user.password ?? null)) || stored === null) throw invalid();
  const { boundCidrs } = stored.user.terms;
  if (boundCidrs.length > 0 && !isAddressIn(remoteAddress, boundCidrs)) {
    throw new ApiError(403, "permission denied");
  }
  return grant(username, stored.user);
}

function invalid(): InvalidCredentials {
  return new InvalidCredentials("invalid username or password");
}

function grant(username: string, { terms }: User): LoginGrant {
  return {
    ...grantOf(terms),
    displayName: username,
    alias: { name: username, metadata: {} },
    groupAliases: [],
    metadata: { username },
    internal: { username, policies: terms.policies },
  };
}

/**
 * The user's present terms for a token of the user's. Null: the user is gone.
 * @throws ApiError 500 when the user's policies are not those of the login.
 */
export async function renew({ storage }: AuthContext, internal: JsonObject): Promise<LoginGrant | null> {
  const username = String(internal.username);
  const stored = await readUser(storage, username);
  if (stored === null) return null;
  if (!samePolicies(stored.user.terms.policies, internal.policies as readonly string[])) {
    throw new ApiError(500, aggregate("policies have changed, not renewing"));
  }
  return grant(username, stored.user);
}

/** Both are sorted, each name once; `default` does not count, for every token has it anyway. */
function samePolicies(now: readonly string[], then: readonly string[]): boolean {
  const texts = [now, then].map((names) => JSON.stringify(names.filter((name) => name !== "default")));
  return texts[0] === texts[1];
}
