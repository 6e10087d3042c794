import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type MountContext, type PathSpec, path } from "../../framework/backend.ts";
import { field, type Given } from "../../framework/field.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import { readConfig } from "./config.ts";
import type { Connections } from "./connections.ts";
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
  max_live: field.int({
    description: "How many of its leases may live at once; 0 for any number. One more is refused.",
  }),
  session_grace: field.duration({
    description:
      "How long its users' sessions may go on when they are revoked, logins being refused; at most 60 s.",
  }),
};

/** A revocation is waited for; one that takes longer would be taken up by another process. */
const GRACE_SECONDS_MAX = 60;

/** `roles` and `roles/:name`. @see reference: database engine, dynamic roles. */
export function rolePaths({ storage }: MountContext, connections: Connections): PathSpec[] {
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
            const role = merge(old, given);
            await writeRole(storage, values.name, role);
            const warnings = await review(storage, connections, role, given);
            return warnings.length === 0 ? undefined : { warnings };
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
    maxLive: given.max_live ?? old?.maxLive ?? 0,
    sessionGraceSeconds: given.session_grace ?? old?.sessionGraceSeconds ?? 0,
  };
  if (role.maxLive < 0) throw badRequest("max_live must be 0 or more");
  if (role.sessionGraceSeconds > GRACE_SECONDS_MAX) {
    throw badRequest(`session_grace must not be longer than ${GRACE_SECONDS_MAX} seconds`);
  }
  if (role.dbName === "") throw badRequest("database name is required");
  checkCredential(role.credentialType, role.credentialConfig);
  return role;
}

/** What the role's kind of database says of what was given; nothing where the connection is not there yet. */
async function review(
  storage: EngineStorage,
  connections: Connections,
  role: Role,
  given: Given<typeof FIELDS>,
): Promise<readonly string[]> {
  if (given.creation_statements === undefined && !given.session_grace) return [];
  const stored = await readConfig(storage, role.dbName);
  if (stored === null) return [];
  const { reviewCreation, givesGrace } = await connections.typeOf(stored.config);
  const isIdle = Boolean(given.session_grace) && givesGrace !== true;
  return [
    ...(given.creation_statements === undefined ? [] : (reviewCreation?.(role.creationStatements) ?? [])),
    ...(isIdle ? [`session_grace: plugin "${stored.config.pluginName}" ends sessions at once`] : []),
  ];
}

function describe(role: Role): JsonObject {
  // The authority's key signs certificates; it is for writing only.
  const { ca_private_key: _key, ...config } = role.credentialConfig;
  const hasConfig = Object.keys(config).length > 0;
  return {
    creation_statements: role.creationStatements,
    ...(hasConfig ? { credential_config: config } : {}),
    credential_type: role.credentialType,
    db_name: role.dbName,
    default_ttl: role.defaultTtlSeconds,
    ...(role.maxLive > 0 ? { max_live: role.maxLive } : {}),
    max_ttl: role.maxTtlSeconds,
    renew_statements: role.renewStatements,
    revocation_statements: role.revocationStatements,
    rollback_statements: role.rollbackStatements,
    ...(role.sessionGraceSeconds > 0 ? { session_grace: role.sessionGraceSeconds } : {}),
  };
}
