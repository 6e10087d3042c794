import { parseCidr } from "../../base/cidr.ts";
import { formatGoDuration } from "../../base/duration.ts";
import { ApiError, aggregate, badRequest } from "../../base/errors.ts";
import type { AuthContext } from "../../framework/auth.ts";
import { field, type Given } from "../../framework/field.ts";
import { oldNamesInUse, withNewNames } from "../../framework/old-names.ts";
import { mergeTokenTerms, TOKEN_FIELDS } from "../../framework/token-fields.ts";
import { ID_BYTES_MAX, newRoleIds, OLD_NAMES, type Role } from "./role.ts";

export const ROLE_NAME = field.lowerCaseString({ description: "The role's name." });

/** The fields of a role. @see reference: approle. */
export const ROLE_FIELDS = {
  role_name: ROLE_NAME,
  bind_secret_id: field.bool({ description: "Whether a login needs a secret id.", default: true }),
  secret_id_bound_cidrs: field.commaStringList({ description: "Blocks that logins must come from." }),
  bound_cidr_list: field.commaStringList({
    description: "The old name of secret_id_bound_cidrs.",
    deprecated: true,
  }),
  secret_id_num_uses: field.int({ description: "How often a secret id can be used; 0 for any number." }),
  secret_id_ttl: field.duration({ description: "How long a secret id lives; 0 for ever." }),
  role_id: field.string({ description: "The role's id; by default a new UUID." }),
  local_secret_ids: field.bool({ description: "Kept and shown; set when the role is made." }),
  policies: field.commaStringList({ description: "The old name of token_policies.", deprecated: true }),
  period: field.duration({ description: "The old name of token_period.", deprecated: true }),
  ...TOKEN_FIELDS,
};

type RoleGiven = Given<typeof ROLE_FIELDS>;

/** The role after a write. @param old - Null: it is new. @throws ApiError with Vault's texts. */
export function mergeRole(context: AuthContext, name: string, old: Role | null, given: RoleGiven): Role {
  if (old !== null && given.local_secret_ids !== undefined) {
    throw badRequest("local_secret_ids can only be modified during role creation");
  }
  const ids = newRoleIds(context);
  const cidrs = given.secret_id_bound_cidrs ?? given.bound_cidr_list;
  const role: Role = {
    key: old?.key ?? ids.key,
    name,
    roleId: requireRoleId(given.role_id ?? old?.roleId ?? ids.roleId),
    bindSecretId: given.bind_secret_id ?? old?.bindSecretId ?? true,
    secretIdBoundCidrs: cidrs === undefined ? (old?.secretIdBoundCidrs ?? []) : secretIdCidrs(cidrs),
    secretIdNumUses: given.secret_id_num_uses ?? old?.secretIdNumUses ?? 0,
    secretIdTtlSeconds: given.secret_id_ttl ?? old?.secretIdTtlSeconds ?? 0,
    localSecretIds: given.local_secret_ids ?? old?.localSecretIds ?? false,
    terms: mergeTokenTerms(old?.terms ?? null, withNewNames(given, OLD_NAMES)),
    oldNames: oldNamesInUse(OLD_NAMES, given, old?.oldNames ?? []),
  };
  checkRole(context, role);
  return role;
}

/** @throws ApiError 400 for an id that is empty or too long. */
export function requireRoleId(roleId: string): string {
  if (roleId === "") throw badRequest("invalid role_id supplied, or failed to generate a role_id");
  if (Buffer.byteLength(roleId) > ID_BYTES_MAX) throw badRequest("role_id is too long");
  return roleId;
}

/** @throws ApiError 400 unless each is a block with its number of bits. */
export function secretIdCidrs(blocks: readonly string[]): readonly string[] {
  const given = blocks.filter((block) => block !== "");
  if (given.length > CIDRS_MAX || !given.every(isBlock)) throw badRequest("invalid CIDR blocks");
  return given;
}

const CIDRS_MAX = 256;

export function isBlock(text: string): boolean {
  return text.includes("/") && parseCidr(text) !== null;
}

/** What must hold of a role however it came about. @throws ApiError with Vault's texts. */
export function checkRole({ ttl }: AuthContext, role: Role): void {
  const { terms } = role;
  if (role.secretIdNumUses < 0) throw badRequest("secret_id_num_uses cannot be negative");
  if (terms.periodSeconds > ttl.maxSeconds) {
    const [period, max] = [formatGoDuration(terms.periodSeconds), formatGoDuration(ttl.maxSeconds)];
    throw badRequest(`period of "${period}" is greater than the backend's maximum lease TTL of "${max}"`);
  }
  if (role.bindSecretId || role.secretIdBoundCidrs.length > 0 || terms.boundCidrs.length > 0) return;
  throw new ApiError(500, aggregate("at least one constraint should be enabled on the role"));
}

/** The warnings that a write of the role comes with. */
export function roleWarnings({ ttl }: AuthContext, role: Role): readonly string[] {
  if (role.terms.maxTtlSeconds <= ttl.maxSeconds) return [];
  return [
    "token_max_ttl is greater than the backend mount's maximum TTL value; issued tokens' max TTL value will be truncated",
  ];
}
