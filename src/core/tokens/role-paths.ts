import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { TokenContext } from "./context.ts";
import { deleteRole, listRoles, readRole, roleData, TOKEN_TYPES, writeRole } from "./roles.ts";

const FIELDS = {
  role_name: field.string({ description: "The role's name." }),
  allowed_policies: field.commaStringList({ description: "The policies that its tokens may have." }),
  disallowed_policies: field.commaStringList({ description: "The policies that its tokens may not have." }),
  allowed_policies_glob: field.commaStringList({
    description: "Patterns of policies that its tokens may have; * stands for any characters.",
  }),
  disallowed_policies_glob: field.commaStringList({
    description: "Patterns of policies that its tokens may not have; * stands for any characters.",
  }),
  allowed_entity_aliases: field.commaStringList({
    description: "Names or patterns of the entity aliases that its tokens may be for.",
  }),
  orphan: field.bool({ description: "Its tokens have no parent." }),
  renewable: field.bool({ description: "Its tokens can be renewed.", default: true }),
  path_suffix: field.string({
    description: "Is put after the path of its tokens, so that they can be revoked by that path.",
  }),
  period: field.duration({ description: "An old name of token_period.", deprecated: true }),
  token_period: field.duration({ description: "Its tokens are periodic, with this period." }),
  explicit_max_ttl: field.duration({
    description: "An old name of token_explicit_max_ttl.",
    deprecated: true,
  }),
  token_explicit_max_ttl: field.duration({ description: "When its tokens end, whatever their renewals." }),
  bound_cidrs: field.commaStringList({ description: "An old name of token_bound_cidrs.", deprecated: true }),
  token_bound_cidrs: field.commaStringList({
    description: "The address blocks that its tokens can be used from.",
  }),
  token_type: field.string({
    description: "The type of its tokens; a default- one gives way to what the request says.",
    default: "default-service",
    allowed: TOKEN_TYPES,
  }),
  token_no_default_policy: field.bool({ description: "Its tokens do not get the default policy." }),
  token_num_uses: field.int({ description: "How many requests its tokens are good for; 0 for any number." }),
} as const;

/** `roles` and `roles/<name>`. @see reference: token roles. */
export function rolePaths({ services: { barrier } }: TokenContext): PathSpec[] {
  return [
    path({
      pattern: "roles",
      fields: {},
      help: { synopsis: "List the token roles." },
      operations: {
        list: {
          summary: "List the token roles.",
          handler: async () => ({ data: { keys: await listRoles(barrier) } }),
        },
      },
    }),
    path({
      pattern: "roles/:role_name",
      fields: FIELDS,
      help: { synopsis: "Make, show, change or delete a token role: the terms on which others make tokens." },
      exists: async ({ values }) => (await readRole(barrier, values.role_name)) !== null,
      operations: {
        read: {
          summary: "Show a token role.",
          handler: async ({ values: { role_name: name } }) => {
            const found = await readRole(barrier, name);
            return found === null ? undefined : { data: roleData(name, found.role) };
          },
        },
        update: {
          summary: "Make or change a token role; what is not given stays.",
          handler: async ({ values, given }) => {
            const warnings = await writeRole(barrier, values.role_name, given);
            return warnings.length > 0 ? { warnings } : undefined;
          },
        },
        delete: {
          summary: "Delete a token role. Its tokens live on, and are not renewed any more.",
          handler: async ({ values }) => {
            await deleteRole(barrier, values.role_name);
            return undefined;
          },
        },
      },
    }),
  ];
}
