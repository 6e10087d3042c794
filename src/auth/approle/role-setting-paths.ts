import { ApiError, aggregate, badRequest } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import type { AuthContext } from "../../framework/auth.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { boundCidrs, policyNames, type TokenTerms } from "../../framework/token-fields.ts";
import { changeRole, type Role, readRole } from "./role.ts";
import { checkRole, ROLE_FIELDS, requireRoleId, secretIdCidrs } from "./role-write.ts";

type FieldName = keyof typeof ROLE_FIELDS;

/** One setting of a role, with a path of its own. */
interface Setting {
  /** Below `role/<name>/`. */
  readonly name: string;
  readonly summary: string;
  /** The field's name, then the older ones that do the same. */
  readonly fields: readonly [FieldName, ...FieldName[]];
  show(role: Role): JsonObject;
  /** @param value - Of the field's type. @throws ApiError 400 */
  set(role: Role, value: never): Role;
  /** Undefined: the setting cannot be reset. */
  readonly reset?: (role: Role) => Role;
}

/** Declares a setting; its only use is that the value's type stays with it. */
function setting<T>(spec: Omit<Setting, "set"> & { set(role: Role, value: T): Role }): Setting {
  return spec as unknown as Setting;
}

const withTerms = (role: Role, terms: Partial<TokenTerms>): Role => ({
  ...role,
  terms: { ...role.terms, ...terms },
});

/** A setting that is one of the role's own properties. */
function ownSetting<T extends Json>(
  spec: Pick<Setting, "name" | "summary" | "fields">,
  key: keyof Role,
  initial: T,
  read: (value: T) => T = (value) => value,
): Setting {
  return setting<T>({
    ...spec,
    show: (role) => ({ [spec.fields[0]]: role[key] as T }),
    set: (role, value) => ({ ...role, [key]: read(value) }),
    reset: (role) => ({ ...role, [key]: initial }),
  });
}

/** A setting that is one of the terms of its tokens. */
function termSetting<T extends Json>(
  spec: Pick<Setting, "name" | "summary" | "fields">,
  key: keyof TokenTerms,
  initial: T,
  read: (value: T, terms: TokenTerms) => T = (value) => value,
): Setting {
  return setting<T>({
    ...spec,
    show: (role) => Object.fromEntries(spec.fields.map((name) => [name, role.terms[key] as T])),
    set: (role, value) => withTerms(role, { [key]: read(value, role.terms) }),
    reset: (role) => withTerms(role, { [key]: initial }),
  });
}

const notNegative =
  (name: string) =>
  (value: number): number => {
    if (value < 0) throw badRequest(`${name} cannot be negative`);
    return value;
  };

const OWN_SETTINGS: readonly Setting[] = [
  ownSetting(
    { name: "bind-secret-id", summary: "whether a login needs a secret id", fields: ["bind_secret_id"] },
    "bindSecretId",
    true,
  ),
  ownSetting(
    { name: "bound-cidr-list", summary: "the blocks that logins come from", fields: ["bound_cidr_list"] },
    "secretIdBoundCidrs",
    [] as readonly string[],
    secretIdCidrs,
  ),
  ownSetting(
    {
      name: "secret-id-bound-cidrs",
      summary: "the blocks that logins come from",
      fields: ["secret_id_bound_cidrs"],
    },
    "secretIdBoundCidrs",
    [] as readonly string[],
    secretIdCidrs,
  ),
  ownSetting(
    {
      name: "secret-id-num-uses",
      summary: "how often a secret id can be used",
      fields: ["secret_id_num_uses"],
    },
    "secretIdNumUses",
    0,
    notNegative("secret_id_num_uses"),
  ),
  ownSetting(
    { name: "secret-id-ttl", summary: "how long a secret id lives", fields: ["secret_id_ttl"] },
    "secretIdTtlSeconds",
    0,
  ),
  setting<string>({
    name: "role-id",
    summary: "the role's id",
    fields: ["role_id"],
    show: (role) => ({ role_id: role.roleId }),
    set: (role, value) => {
      if (value === "") throw badRequest("missing role_id");
      return { ...role, roleId: requireRoleId(value) };
    },
  }),
];

const TERM_SETTINGS: readonly Setting[] = [
  termSetting(
    { name: "policies", summary: "the policies of its tokens", fields: ["token_policies", "policies"] },
    "policies",
    [] as readonly string[],
    policyNames,
  ),
  termSetting(
    {
      name: "token-bound-cidrs",
      summary: "the addresses its tokens are used from",
      fields: ["token_bound_cidrs"],
    },
    "boundCidrs",
    [] as readonly string[],
    boundCidrs,
  ),
  termSetting(
    { name: "period", summary: "the period of its tokens", fields: ["token_period", "period"] },
    "periodSeconds",
    0,
    notNegative("'token_period'"),
  ),
  termSetting(
    {
      name: "token-num-uses",
      summary: "how often its tokens can be used",
      fields: ["token_num_uses"],
    },
    "numUses",
    0,
    notNegative("'token_num_uses'"),
  ),
  termSetting(
    { name: "token-ttl", summary: "the TTL of its tokens", fields: ["token_ttl"] },
    "ttlSeconds",
    0 as number,
    (value, terms) => {
      if (terms.maxTtlSeconds > 0 && value > terms.maxTtlSeconds) {
        throw badRequest("token_ttl should not be greater than token_max_ttl");
      }
      return notNegative("'token_ttl'")(value);
    },
  ),
  termSetting(
    { name: "token-max-ttl", summary: "the longest TTL of its tokens", fields: ["token_max_ttl"] },
    "maxTtlSeconds",
    0 as number,
    (value, terms) => {
      if (value > 0 && terms.ttlSeconds > value) {
        throw badRequest("token_max_ttl should be greater than or equal to token_ttl");
      }
      return notNegative("'token_max_ttl'")(value);
    },
  ),
];

/** `role/:role_name/<setting>`: each setting of a role by itself. */
export function roleSettingPaths(context: AuthContext): PathSpec[] {
  return [...[...OWN_SETTINGS, ...TERM_SETTINGS].map((one) => settingPath(context, one)), localPath(context)];
}

function settingPath(context: AuthContext, one: Setting): PathSpec {
  const { reset } = one;
  const names = ["role_name", ...one.fields] as const;
  const fields = Object.fromEntries(names.map((name) => [name, ROLE_FIELDS[name]]));
  return path({
    pattern: `role/:role_name/${one.name}`,
    fields,
    help: { synopsis: `Show or change ${one.summary}.` },
    operations: {
      read: {
        summary: `Show ${one.summary}.`,
        handler: async ({ values }) => {
          const stored = await readRole(context, String(values.role_name));
          return stored === null ? undefined : { data: one.show(stored.role) };
        },
      },
      update: {
        summary: `Change ${one.summary}.`,
        handler: async ({ values, given }) => {
          const name = one.fields.find((candidate) => given[candidate] !== undefined);
          await changeRole(context, String(values.role_name), (role) => {
            if (role === null) throw new ApiError(404, aggregate("unsupported path"));
            if (name === undefined) throw badRequest(`missing ${one.fields[0]}`);
            return checked(context, one.set(role, given[name] as never));
          });
          return undefined;
        },
      },
      ...(reset === undefined
        ? {}
        : {
            delete: {
              summary: `Set ${one.summary} back to the default.`,
              handler: async ({ values }) => {
                await changeRole(context, String(values.role_name), (role) =>
                  role === null ? null : checked(context, reset(role)),
                );
                return undefined;
              },
            },
          }),
    },
  });
}

function checked(context: AuthContext, role: Role): Role {
  checkRole(context, role);
  return role;
}

function localPath(context: AuthContext): PathSpec {
  return path({
    pattern: "role/:role_name/local-secret-ids",
    fields: { role_name: ROLE_FIELDS.role_name },
    help: { synopsis: "Show whether the role's secret ids are local." },
    operations: {
      read: {
        summary: "Show whether the role's secret ids are local.",
        handler: async ({ values }) => {
          const stored = await readRole(context, values.role_name);
          return stored === null ? undefined : { data: { local_secret_ids: stored.role.localSecretIds } };
        },
      },
    },
  });
}
