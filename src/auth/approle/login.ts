import { isAddressIn } from "../../base/cidr.ts";
import { ApiError, aggregate, badRequest, hasCode } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type AuthContext, InvalidCredentials, type LoginGrant } from "../../framework/auth.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { grantOf } from "../../framework/token-fields.ts";
import { ID_BYTES_MAX, type Role, readRole, roleOfId } from "./role.ts";
import { findSecretId, type StoredSecretId, spendUse } from "./secret-id.ts";

/** A use that is lost to another login is tried again; this often, the secret id is in too great demand. */
const SPEND_TRIES_MAX = 500;

interface Login {
  readonly roleId: string;
  readonly secretId: string;
  readonly remoteAddress: string | null;
}

/** `login`. @see reference: approle, login order and texts. */
export function loginPath(context: AuthContext): PathSpec {
  return path({
    pattern: "login",
    unauthenticated: true,
    fields: {
      role_id: field.string({ description: "The role's id.", required: true }),
      secret_id: field.string({
        description: "A secret id of the role, unless the role needs none.",
        sensitive: true,
      }),
    },
    help: { synopsis: "Log in with a role id and a secret id." },
    operations: {
      update: {
        summary: "Log in.",
        handler: async ({ values, remoteAddress }) => {
          const login = { roleId: values.role_id, secretId: values.secret_id, remoteAddress };
          if (login.roleId === "") throw badRequest("missing role_id");
          if (isTooLong(login.roleId) || isTooLong(login.secretId)) throw invalid();
          return { login: await context.logins.attempt(login.roleId, () => logIn(context, login)) };
        },
      },
    },
  });
}

function isTooLong(text: string): boolean {
  return Buffer.byteLength(text) > ID_BYTES_MAX;
}

function invalid(): InvalidCredentials {
  return new InvalidCredentials("invalid role or secret ID");
}

async function logIn(context: AuthContext, login: Login): Promise<LoginGrant> {
  const stored = await roleOfId(context, login.roleId);
  if (stored === null) throw invalid();
  const { role } = stored;
  const used = role.bindSecretId ? await useSecretId(context, role, login) : null;
  if (used === null) checkRoleCidrs(role, login.remoteAddress);
  return grant(role, used?.secretId.metadata ?? {}, used?.secretId.tokenBoundCidrs ?? []);
}

/** Checks the secret id, where it comes from, and takes one use of it: after this, the login has succeeded. */
async function useSecretId(context: AuthContext, role: Role, login: Login): Promise<StoredSecretId> {
  if (login.secretId === "") throw badRequest("missing secret_id");
  for (let tries = 1; ; tries += 1) {
    const stored = await findSecretId(context, role, login.secretId);
    if (stored === null) throw invalid();
    checkSecretIdCidrs(stored, login.remoteAddress);
    checkRoleCidrs(role, login.remoteAddress);
    try {
      await spendUse(context, role, stored);
      return stored;
    } catch (error) {
      // Another login with the same secret id was faster: look what it left.
      if (!hasCode(error, "STORE_CONFLICT") || tries === SPEND_TRIES_MAX) throw error;
    }
  }
}

function checkSecretIdCidrs({ secretId }: StoredSecretId, address: string | null): void {
  if (secretId.cidrList.length === 0 || isAddressIn(address, secretId.cidrList)) return;
  const source = `source address ${JSON.stringify(address ?? "")} unauthorized`;
  throw badRequest(
    secretId.numUses === 0
      ? `${source} through CIDR restrictions on the secret ID`
      : `${source} by CIDR restrictions on the secret ID: it is in none of its blocks`,
  );
}

function checkRoleCidrs(role: Role, address: string | null): void {
  if (role.secretIdBoundCidrs.length === 0 || isAddressIn(address, role.secretIdBoundCidrs)) return;
  throw badRequest(
    `source address ${JSON.stringify(address ?? "")} unauthorized by CIDR restrictions on the role: it is in none of its blocks`,
  );
}

/** @param metadata - The secret id's. @param boundCidrs - The secret id's, which replace the role's. */
function grant(
  role: Role,
  metadata: Readonly<Record<string, string>>,
  boundCidrs: readonly string[],
): LoginGrant {
  const all = { ...metadata, role_name: role.name };
  return {
    ...grantOf(role.terms),
    boundCidrs: boundCidrs.length > 0 ? boundCidrs : role.terms.boundCidrs,
    displayName: "",
    alias: { name: role.roleId, metadata: all },
    groupAliases: [],
    metadata: all,
    internal: { role: role.name, metadata, boundCidrs },
  };
}

/** The role's present terms for a token that came from it. @throws ApiError 500 when the role is gone. */
export async function renew(context: AuthContext, internal: JsonObject): Promise<LoginGrant> {
  const name = String(internal.role);
  const stored = await readRole(context, name);
  if (stored === null) {
    throw new ApiError(500, aggregate(`role ${JSON.stringify(name)} does not exist during renewal`));
  }
  const metadata = internal.metadata as Readonly<Record<string, string>>;
  return grant(stored.role, metadata, internal.boundCidrs as readonly string[]);
}
