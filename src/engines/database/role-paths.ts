import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type MountContext, type PathSpec, path } from "../../framework/backend.ts";
import { field, type Given } from "../../framework/field.ts";
import { CREDENTIAL_TYPES, checkCredential } from "./credential-type.ts";
import { deleteRole, listRoles, type Role, readRole, writeRole } from "./role.ts";
import { NAME_TAKEN, readStatic } from "./static-role.ts";

const FIELDS = {
  name: field.string({ description: "The role's name." }),
  db_name: field.string({ description: "The connection that its users are made with." }),
  creation_statements: field.stringList({
    description: "What makes a user; {{name}}, {{password}} and {{expiration}} are filled in.",
  }),
  revocation_statements: field.stringList({
    description: "What ends a user. By default a plan that also ends its sessions and keeps what it owned.",
  }),
  renew_statements: field.stringList({ description: "What moves a user's expiry." }),
  rollback_statements: field.stringList({
    description: "Kept; PostgreSQL rolls a failed creation back by itself.",
  }),
  default_ttl: field.duration({ description: "The TTL of its leases; 0 for the mount's." }),
  max_ttl: field.duration({ description: "The longest its leases can be renewed to; 0 for the mount's." }),
  credential_type: field.string({
    description: "The kind of credential; a database may not have all of them.",
    default: "password",
    allowed: CREDENTIAL_TYPES,
  }),
  credential_config: field.kvPairs({ description: "Settings of the credential type." }),
};

/** `roles` and `roles/:name`. @see reference: database engine, dynamic roles. */
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
      fields: FIELDS,
      exists: async ({ values }) => (await readRole(storage, values.name)) !== null,
      help: {
        synopsis: "Define how the users of a role are made, for how long they live, and how they end.",
        description: "An update keeps what it is not given.",
      },
      operations: {
        read: {
          summary: "Show a role.",
          handler: async ({ values }) => {
            const role = await readRole(storage, values.name);
            return role === null ? undefined : { data: describe(role) };
          },
        },
        update: {
          summary: "Create or change a role.",
          handler: async ({ values, given }) => {
            const old = await readRole(storage, values.name);
            if ((await readStatic(storage, values.name)) !== null) throw badRequest(NAME_TAKEN);
            await writeRole(storage, values.name, merge(old, given));
            return undefined;
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

function merge(old: Role | null, given: Given<typeof FIELDS>): Role {
  const role: Role = {
    dbName: given.db_name ?? old?.dbName ?? "",
    creationStatements: given.creation_statements ?? old?.creationStatements ?? [],
    revocationStatements: (given.revocation_statements ?? old?.revocationStatements ?? []).filter(Boolean),
    renewStatements: given.renew_statements ?? old?.renewStatements ?? [],
    rollbackStatements: given.rollback_statements ?? old?.rollbackStatements ?? [],
    defaultTtlSeconds: given.default_ttl ?? old?.defaultTtlSeconds ?? 0,
    maxTtlSeconds: given.max_ttl ?? old?.maxTtlSeconds ?? 0,
    credentialType: given.credential_type ?? old?.credentialType ?? "password",
    credentialConfig: given.credential_config ?? old?.credentialConfig ?? {},
  };
  if (role.dbName === "") throw badRequest("database name is required");
  checkCredential(role.credentialType, role.credentialConfig);
  return role;
}

function describe(role: Role): JsonObject {
  const hasConfig = Object.keys(role.credentialConfig).length > 0;
  return {
    creation_statements: role.creationStatements,
    ...(hasConfig ? { credential_config: role.credentialConfig } : {}),
    credential_type: role.credentialType,
    db_name: role.dbName,
    default_ttl: role.defaultTtlSeconds,
    max_ttl: role.maxTtlSeconds,
    renew_statements: role.renewStatements,
    revocation_statements: role.revocationStatements,
    rollback_statements: role.rollbackStatements,
  };
}
