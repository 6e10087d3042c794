import { badRequest } from "../../base/errors.ts";
import { type MountContext, type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import { readRole } from "./role.ts";

const ENTRY = "config/zeroaddress";

/** The roles that are for any host. */
export async function zeroAddressRoles(storage: EngineStorage): Promise<readonly string[]> {
  return ((await storage.get(ENTRY))?.value.roles as readonly string[] | undefined) ?? [];
}

/** `config/zeroaddress`. @see reference: SSH. */
export function zeroAddressPath({ storage }: MountContext): PathSpec {
  return path({
    pattern: "config/zeroaddress",
    fields: {
      roles: field.commaStringList({ description: "Roles for one-time passwords that are for any host." }),
    },
    help: { synopsis: "Show or set the roles that are for any host." },
    operations: {
      read: {
        summary: "Show the roles.",
        handler: async () => {
          const roles = await zeroAddressRoles(storage);
          return roles.length === 0 ? undefined : { data: { roles } };
        },
      },
      update: {
        summary: "Set the roles.",
        handler: async ({ values: { roles } }) => {
          if (roles.length === 0) throw badRequest("Missing roles");
          for (const name of roles) {
            const role = await readRole(storage, name);
            if (role === null) throw badRequest(`Role "${name}" does not exist`);
            if (role.keyType !== "otp") throw badRequest(`Role "${name}" is not for one-time passwords`);
          }
          await storage.commit([{ op: "put", key: ENTRY, value: { roles } }]);
          return undefined;
        },
      },
      delete: {
        summary: "Let no role be for any host.",
        handler: async () => {
          await storage.commit([{ op: "delete", key: ENTRY }]);
          return undefined;
        },
      },
    },
  });
}
