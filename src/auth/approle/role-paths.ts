import type { JsonObject } from "../../base/json.ts";
import type { AuthContext } from "../../framework/auth.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { PAGE_FIELDS, pageOf } from "../../framework/list-page.ts";
import { describeTokenTerms } from "../../framework/token-fields.ts";
import { changeRole, listRoles, type Role, readRole, removeRole } from "./role.ts";
import { mergeRole, ROLE_FIELDS, roleWarnings } from "./role-write.ts";
import { clearRole } from "./secret-id.ts";

/** `role` and `role/:role_name`. */
export function rolePaths(context: AuthContext): PathSpec[] {
  return [
    path({
      pattern: "role",
      fields: PAGE_FIELDS,
      help: { synopsis: "List the roles." },
      operations: {
        list: {
          summary: "List the roles.",
          handler: async ({ values }) => ({ data: { keys: pageOf(await listRoles(context), values) } }),
        },
      },
    }),
    path({
      pattern: "role/:role_name",
      fields: ROLE_FIELDS,
      exists: async ({ values }) => (await readRole(context, values.role_name)) !== null,
      help: {
        synopsis: "Define who may log in as a role, and on what terms.",
        description: "An update keeps what it is not given.",
      },
      operations: {
        read: {
          summary: "Show a role.",
          handler: async ({ values }) => {
            const stored = await readRole(context, values.role_name);
            return stored === null ? undefined : { data: describe(stored.role) };
          },
        },
        update: {
          summary: "Create or change a role.",
          handler: async ({ values, given }) => {
            let warnings: readonly string[] = [];
            await changeRole(context, values.role_name, (old) => {
              const role = mergeRole(context, values.role_name, old, given);
              warnings = roleWarnings(context, role);
              return role;
            });
            return warnings.length === 0 ? undefined : { warnings };
          },
        },
        delete: {
          summary: "Delete a role and its secret ids.",
          handler: async ({ values }) => {
            const role = await removeRole(context, values.role_name);
            if (role !== null) await clearRole(context, role.key);
            return undefined;
          },
        },
      },
    }),
  ];
}

function describe(role: Role): JsonObject {
  return {
    bind_secret_id: role.bindSecretId,
    local_secret_ids: role.localSecretIds,
    ...(role.oldNames.includes("period") ? { period: role.terms.periodSeconds } : {}),
    ...(role.oldNames.includes("policies") ? { policies: role.terms.policies } : {}),
    secret_id_bound_cidrs: role.secretIdBoundCidrs,
    secret_id_num_uses: role.secretIdNumUses,
    secret_id_ttl: role.secretIdTtlSeconds,
    ...describeTokenTerms(role.terms),
  };
}
