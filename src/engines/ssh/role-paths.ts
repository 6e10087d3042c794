import { type MountContext, type PathSpec, path } from "../../framework/backend.ts";
import { PAGE_FIELDS, pageOf } from "../../framework/list-page.ts";
import { NAME_WITH_AT } from "../../framework/path-match.ts";
import { deleteRole, listRoles, readRole, writeRole } from "./role.ts";
import { checkedRole, describeRole } from "./role-check.ts";
import { ROLE_FIELDS } from "./role-fields.ts";

/** `roles` and `roles/:role`. @see reference: SSH. */
export function rolePaths(context: MountContext): PathSpec[] {
  const { storage } = context;
  return [
    path({
      pattern: "roles",
      fields: PAGE_FIELDS,
      help: { synopsis: "List the roles." },
      operations: {
        list: {
          summary: "List the roles.",
          handler: async ({ values }) => {
            const keys = pageOf(await listRoles(storage), values);
            const roles = await Promise.all(keys.map((name) => readRole(storage, name)));
            const info = keys.map(
              (name, index) => [name, { key_type: roles[index]?.keyType ?? "" }] as const,
            );
            return { data: { key_info: Object.fromEntries(info), keys } };
          },
        },
      },
    }),
    path({
      pattern: "roles/:role",
      captures: { role: NAME_WITH_AT },
      fields: ROLE_FIELDS,
      help: {
        synopsis: "Say who gets certificates or one-time passwords, and what for.",
        description: "A write replaces the whole role.",
      },
      operations: {
        read: {
          summary: "Show a role.",
          handler: async ({ values }) => {
            const role = await readRole(storage, values.role);
            return role === null ? undefined : { data: describeRole(role) };
          },
        },
        update: {
          summary: "Create or replace a role.",
          handler: async ({ values }) => {
            await writeRole(storage, values.role, checkedRole(values, context.ttl.maxSeconds));
            return undefined;
          },
        },
        delete: {
          summary: "Delete a role.",
          handler: async ({ values }) => {
            await deleteRole(storage, values.role);
            return undefined;
          },
        },
      },
    }),
  ];
}
