import { messageOf } from "../../base/errors.ts";
import type { MountContext } from "../../framework/backend.ts";
import type { LeasedSecret, RenewTerms, RevokeOutcome, SecretType } from "../../framework/secret.ts";
import type { Connections } from "./connections.ts";
import { DatabaseError } from "./plugin.ts";
import { type Role, readRole } from "./role.ts";

export const CREDS_SECRET = "creds";

/** The database's own expiry of a user comes this long after the lease's, as in Vault. */
export const EXPIRY_SLACK_MS = 5000;

/** The plugins bound their connects and statements so that a creation ends within this. */
const CREATE_TIMEOUT_MS = 60_000;

/** What a lease keeps of its user. Version 1; old versions stay readable for as long as a lease can live. */
export interface CredsInternal {
  readonly v: 1;
  readonly username: string;
  readonly role: string;
  readonly dbName: string;
  /** As the role had them at issue; used when the role is gone. */
  readonly revocationStatements: readonly string[];
  /** Absent: none. */
  readonly sessionGraceSeconds?: number;
}

function internalOf(secret: LeasedSecret): CredsInternal {
  return secret.internal as unknown as CredsInternal;
}

/** Dynamic database users. */
export function credsSecret(context: MountContext, connections: Connections): SecretType {
  return {
    name: CREDS_SECRET,
    createTimeoutMs: CREATE_TIMEOUT_MS,
    // Who is not given time does not wait with those who are.
    batchKey: (secret) => {
      const { dbName, sessionGraceSeconds = 0 } = internalOf(secret);
      return `${dbName} ${sessionGraceSeconds}`;
    },
    renew: (secret) => renewTerms(context, connections, internalOf(secret)),
    revoke: (secrets) => revokeUsers(context, connections, secrets.map(internalOf)),
  };
}

async function renewTerms(
  { storage }: MountContext,
  connections: Connections,
  { username, role: roleName, dbName }: CredsInternal,
): Promise<RenewTerms> {
  const role = await readRole(storage, roleName);
  if (role === null)
    throw new DatabaseError("statement", `error during renew: could not find role with name "${roleName}"`);
  return {
    ttlSeconds: role.defaultTtlSeconds,
    maxTtlSeconds: role.maxTtlSeconds,
    apply: async (expiresAt) => {
      await connections.use(dbName, (plugin) =>
        plugin.setExpiration(username, expiresAt + EXPIRY_SLACK_MS, role.renewStatements),
      );
    },
  };
}

/** All of one connection: the core batches by it. Outcomes name the connection. */
async function revokeUsers(
  { storage }: MountContext,
  connections: Connections,
  users: readonly CredsInternal[],
): Promise<readonly RevokeOutcome[]> {
  const dbName = users[0]?.dbName ?? "";
  const roles = new Map<string, Role | null>();
  for (const { role } of users) {
    if (!roles.has(role)) roles.set(role, await readRole(storage, role));
  }
  const doomed = users.map(({ username, role, revocationStatements, sessionGraceSeconds = 0 }) => ({
    username,
    revocationStatements: roles.get(role)?.revocationStatements ?? revocationStatements,
    sessionGraceMs: sessionGraceSeconds * 1000,
  }));
  try {
    const outcomes = await connections.revoke(dbName, doomed);
    return outcomes.map((outcome, index) =>
      outcome === null ? null : named(outcome, dbName, doomed[index]?.username),
    );
  } catch (error) {
    return doomed.map(({ username }) => named(error, dbName, username));
  }
}

function named(error: unknown, dbName: string, username: string | undefined): Error {
  const text = `user "${username ?? ""}", connection "${dbName}": ${messageOf(error)}`;
  return new DatabaseError("statement", text, { cause: error });
}
