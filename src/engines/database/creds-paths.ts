import { ApiError, aggregate, badRequest, messageOf } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import type { JsonObject } from "../../base/json.ts";
import { type MountContext, type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { type LeasePlan, type NewLease, NothingMade } from "../../framework/secret.ts";
import { CONNECTION_FIELD, describeConnection } from "./client-connection.ts";
import { type ConnectionConfig, isRoleAllowed, readConfig } from "./config.ts";
import type { Connections } from "./connections.ts";
import { CREDS_SECRET, type CredsInternal, EXPIRY_SLACK_MS } from "./creds-secret.ts";
import { newCredential } from "./new-credential.ts";
import { DatabaseError, type NewUser } from "./plugin.ts";
import { type Role, readRole } from "./role.ts";

/** `creds/:name`: a database user that lives as long as its lease. @see reference: database engine, creds. */
export function credsPaths(context: MountContext, connections: Connections): PathSpec[] {
  return [
    path({
      pattern: "creds/:name",
      fields: {
        name: field.string({ description: "The role that the user is made by." }),
        connection: CONNECTION_FIELD,
      },
      help: { synopsis: "Issue a database user for a role, under a lease." },
      operations: {
        read: {
          summary: "Issue a database user.",
          handler: async ({ values, displayName }) => ({
            lease: await planUser(context, connections, values, displayName),
          }),
        },
      },
    }),
  ];
}

async function planUser(
  context: MountContext,
  connections: Connections,
  request: { readonly name: string; readonly connection: boolean },
  displayName: string,
): Promise<LeasePlan> {
  const { name: roleName } = request;
  const role = await readRole(context.storage, roleName);
  if (role === null) throw badRequest(`unknown role: ${roleName}`);
  const config = await allowedConfig(context, role, roleName);
  const type = await connections.typeOf(config);
  const username = await connections.chooseUsername(config, displayName, roleName);
  // Logging in takes as long as all the rest; it has no effect that would need the lease.
  await connections.warm(role.dbName);
  const { shown, ...secret } = await newCredential(context, type, role, config.passwordPolicy);
  const user = { username, ...secret };
  const more = request.connection ? await describeConnection(connections, config, user) : {};
  const internal: CredsInternal = {
    v: 1,
    username,
    role: roleName,
    dbName: role.dbName,
    revocationStatements: role.revocationStatements,
    ...(role.sessionGraceSeconds > 0 ? { sessionGraceSeconds: role.sessionGraceSeconds } : {}),
  };
  return {
    secret: CREDS_SECRET,
    internal: internal as unknown as JsonObject,
    principal: username,
    ttlSeconds: role.defaultTtlSeconds,
    maxTtlSeconds: role.maxTtlSeconds,
    liveMax: role.maxLive,
    create: async (lease) => {
      await createUser(context, connections, roleName, role, user, lease);
      return { ...shown, ...more, username };
    },
  };
}

async function allowedConfig(context: MountContext, role: Role, roleName: string): Promise<ConnectionConfig> {
  const stored = await readConfig(context.storage, role.dbName);
  if (stored === null) throw badRequest(`failed to find entry for connection with name: "${role.dbName}"`);
  if (!isRoleAllowed(stored.config.allowedRoles, roleName)) {
    throw new ApiError(500, aggregate(`"${roleName}" is not an allowed role`));
  }
  return stored.config;
}

/** What a plugin takes to make a user, at most. */
const NEW_USER_MS_MAX = 45_000;

async function createUser(
  { clock }: MountContext,
  connections: Connections,
  roleName: string,
  role: Role,
  user: Pick<NewUser, "username" | "password" | "publicKey">,
  lease: NewLease,
): Promise<void> {
  try {
    await connections.use(role.dbName, async (plugin) => {
      // Settling a rotation on the way here, or a process that was stopped, can have used up the time.
      if (clock.now() + NEW_USER_MS_MAX > lease.endBy) {
        throw new DatabaseError(
          "unreachable",
          "getting ready took too long; nothing was created, so try again",
          { isUnasked: true },
        );
      }
      await plugin.newUser({
        ...user,
        expiresAt: lease.expiresAt + EXPIRY_SLACK_MS,
        creationStatements: role.creationStatements,
        rollbackStatements: role.rollbackStatements,
      });
    });
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const text = `role "${roleName}", connection "${role.dbName}": ${messageOf(error)}`;
    const isUnasked = error instanceof DatabaseError && error.isUnasked;
    throw new (isUnasked ? NothingMade : ApiError)(500, aggregate(text), { cause: error });
  }
  failpoint("creds:user-created");
}
