import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type MountContext, type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field, type Given } from "../../framework/field.ts";
import {
  CREDENTIAL_TYPES,
  type CredentialType,
  deleteRole,
  listRoles,
  type Role,
  readRole,
  writeRole,
} from "./role.ts";
import { checkRole, compactPolicy } from "./role-check.ts";

/** Names of roles: Vault's rule with `@` inside as well. */
export const NAME_WITH_AT = /\w(?:[\w.@-]*\w)?/;

const FIELDS = {
  name: field.string({ description: "The role's name." }),
  credential_type: field.string({
    description: "What is issued: a user, or a token of one of three kinds.",
    allowed: CREDENTIAL_TYPES,
  }),
  role_arns: field.commaStringList({ description: "The roles that may be assumed. assumed_role only." }),
  policy_arns: field.commaStringList({
    description: "Managed policies: attached to a user, or the bounds of a token's session.",
  }),
  policy_document: field.string({
    description: "A policy as JSON: a user's inline policy, or the bounds of a token's session.",
  }),
  iam_groups: field.commaStringList({
    description: "Groups that a user joins, or whose policies bound a token's session.",
  }),
  iam_tags: field.kvPairs({ description: "Tags of the user. iam_user only." }),
  session_tags: field.kvPairs({ description: "Tags of the session. assumed_role only." }),
  external_id: field.string({ description: "The external id that the role asks for. assumed_role only." }),
  mfa_serial_number: field.string({
    description: "The MFA device whose code a caller gives as mfa_code. session_token only.",
  }),
  default_sts_ttl: field.duration({
    description: "How long a token lives when the caller does not say; 0: 1h.",
  }),
  max_sts_ttl: field.duration({ description: "The longest a token may live; 0: the mount's maximum." }),
  user_path: field.string({ description: "The path of the user's name. iam_user only.", default: "/" }),
  permissions_boundary_arn: field.string({ description: "The user's permissions boundary. iam_user only." }),
  arn: field.string({
    description: "The older form: a role to assume, or a policy to attach.",
    deprecated: true,
  }),
  policy: field.string({ description: "The older form: a policy as JSON.", deprecated: true }),
};

type RoleFields = typeof FIELDS;

const LEGACY_WARNING =
  "Detected use of legacy role or policy parameter. Please upgrade to use the new parameters.";

/** `roles` and `roles/:name`. @see reference: AWS roles. */
export function rolePaths({ storage }: MountContext): PathSpec[] {
  return [
    path({
      pattern: "roles",
      fields: {},
      help: { synopsis: "List the roles." },
      operations: {
        list: {
          summary: "List the roles.",
          handler: async () => ({ data: { keys: await listRoles(storage) } }),
        },
      },
    }),
    path({
      pattern: "roles/:name",
      captures: { name: NAME_WITH_AT },
      fields: FIELDS,
      help: {
        synopsis: "Define which AWS credentials a role gives, and with which rights.",
        description:
          "Prefer the tokens (assumed_role, federation_token, session_token) to users: AWS itself ends them, and they work at " +
          "once. An update keeps what it is not given.",
      },
      operations: {
        read: {
          summary: "Show a role.",
          handler: async ({ values }) => {
            const stored = await readRole(storage, values.name);
            return stored === null ? undefined : { data: describe(stored.role) };
          },
        },
        update: {
          summary: "Create or change a role.",
          handler: async ({ values, given }): Promise<Reply | undefined> => {
            const legacy = legacyRole(given);
            const role = legacy ?? merge((await readRole(storage, values.name))?.role ?? null, given);
            checkRole(role);
            await writeRole(storage, values.name, role);
            return legacy === null ? undefined : { warnings: [LEGACY_WARNING] };
          },
        },
        delete: {
          summary: "Delete a role. Leases it made stay, and end as they would have.",
          handler: async ({ values }) => {
            await deleteRole(storage, values.name);
            return undefined;
          },
        },
      },
    }),
  ];
}

const EMPTY: Role = {
  credentialTypes: [],
  roleArns: [],
  policyArns: [],
  policyDocument: "",
  iamGroups: [],
  iamTags: {},
  sessionTags: {},
  externalId: "",
  mfaSerialNumber: "",
  defaultStsTtlSeconds: 0,
  maxStsTtlSeconds: 0,
  userPath: "",
  permissionsBoundaryArn: "",
  isLegacy: false,
};

/** The role that the older parameters ask for. Null: none of them was given. */
function legacyRole(given: Given<RoleFields>): Role | null {
  const { arn = "", policy = "" } = given;
  if (arn === "" && policy === "") return null;
  if (arn !== "" && policy !== "") throw badRequest("only one of policy or arn should be provided");
  const others = Object.keys(given).filter((key) => !["name", "arn", "policy"].includes(key));
  if (others.length > 0) {
    throw badRequest(`cannot supply deprecated role or policy parameters with ${others.join(", ")}`);
  }
  const base: Role = { ...EMPTY, isLegacy: true };
  if (policy !== "") {
    const credentialTypes: readonly CredentialType[] = ["iam_user", "federation_token"];
    return { ...base, credentialTypes, policyDocument: compactPolicy(policy) };
  }
  if (arn.includes(":role/")) return { ...base, credentialTypes: ["assumed_role"], roleArns: [arn] };
  if (arn.includes(":policy/")) return { ...base, credentialTypes: ["iam_user"], policyArns: [arn] };
  throw badRequest(`the arn is neither that of a role nor that of a policy: ${arn}`);
}

function merge(old: Role | null, given: Given<RoleFields>): Role {
  const type = given.credential_type;
  const document = given.policy_document;
  return {
    // What is not a known type is refused, in Vault's words, when the role is checked as a whole.
    credentialTypes:
      type === undefined || type === "" ? (old?.credentialTypes ?? []) : [type as CredentialType],
    roleArns: given.role_arns ?? old?.roleArns ?? [],
    policyArns: given.policy_arns ?? old?.policyArns ?? [],
    policyDocument: document === undefined ? (old?.policyDocument ?? "") : compactPolicy(document),
    iamGroups: given.iam_groups ?? old?.iamGroups ?? [],
    iamTags: given.iam_tags ?? old?.iamTags ?? {},
    sessionTags: given.session_tags ?? old?.sessionTags ?? {},
    externalId: given.external_id ?? old?.externalId ?? "",
    mfaSerialNumber: given.mfa_serial_number ?? old?.mfaSerialNumber ?? "",
    defaultStsTtlSeconds: given.default_sts_ttl ?? old?.defaultStsTtlSeconds ?? 0,
    maxStsTtlSeconds: given.max_sts_ttl ?? old?.maxStsTtlSeconds ?? 0,
    userPath: given.user_path ?? old?.userPath ?? "",
    permissionsBoundaryArn: given.permissions_boundary_arn ?? old?.permissionsBoundaryArn ?? "",
    isLegacy: type === undefined ? (old?.isLegacy ?? false) : false,
  };
}

function describe(role: Role): JsonObject {
  return {
    credential_type: role.credentialTypes.join(","),
    default_sts_ttl: role.defaultStsTtlSeconds,
    external_id: role.externalId,
    iam_groups: role.iamGroups,
    iam_tags: role.iamTags,
    max_sts_ttl: role.maxStsTtlSeconds,
    mfa_serial_number: role.mfaSerialNumber,
    permissions_boundary_arn: role.permissionsBoundaryArn,
    policy_arns: role.policyArns,
    policy_document: role.policyDocument,
    role_arns: role.roleArns,
    session_tags: role.sessionTags,
    user_path: role.credentialTypes.includes("iam_user") ? role.userPath || "/" : role.userPath,
  };
}
