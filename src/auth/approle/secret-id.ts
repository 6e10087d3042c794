import { ApiError, aggregate, hasCode } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { randomUuid } from "../../base/random.ts";
import type { AuthContext } from "../../framework/auth.ts";
import { GONE, listRoles, type Role, readRole } from "./role.ts";

/** What is stored of a secret id, under a keyed hash of it. Times are milliseconds since the epoch. */
export interface SecretId {
  readonly accessor: string;
  /** Uses left; 0: unlimited. */
  readonly numUses: number;
  readonly ttlSeconds: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Null: never. */
  readonly expiresAt: number | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly cidrList: readonly string[];
  readonly tokenBoundCidrs: readonly string[];
}

export interface StoredSecretId {
  readonly secretId: SecretId;
  readonly hash: string;
  readonly version: number;
}

const SECRETS = "secret-id/";
const ACCESSORS = "accessor/";
const BATCH = 200;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function hashOf(context: AuthContext, role: Role, secretId: string): string {
  return context.hash(`secret-id/${role.key}`, secretId);
}

const secretKey = (roleKey: string, hash: string): string => `${SECRETS}${roleKey}/${hash}`;
const accessorKey = (roleKey: string, accessor: string): string => `${ACCESSORS}${roleKey}/${accessor}`;

/** What a new secret id is made with. */
export interface SecretIdTerms {
  readonly numUses: number;
  /** 0: no expiry. */
  readonly ttlSeconds: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly cidrList: readonly string[];
  readonly tokenBoundCidrs: readonly string[];
}

/**
 * Registers a secret id; it is due when it expires.
 * @throws ApiError 500 when the role has it already.
 */
export async function storeSecretId(
  context: AuthContext,
  role: Role,
  text: string,
  terms: SecretIdTerms,
): Promise<SecretId> {
  const now = context.clock.now();
  const accessor = randomUuid(context.random);
  const expiresAt = terms.ttlSeconds > 0 ? now + terms.ttlSeconds * 1000 : null;
  const secretId: SecretId = { ...terms, accessor, createdAt: now, updatedAt: now, expiresAt };
  const hash = hashOf(context, role, text);
  const key = secretKey(role.key, hash);
  try {
    await context.storage.commit([
      { op: "put", key, value: secretId as unknown as JsonObject, dueAt: expiresAt, expect: 0 },
      { op: "put", key: accessorKey(role.key, accessor), value: { hash }, expect: 0 },
    ]);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    throw new ApiError(500, aggregate("failed to store secret_id: SecretID is already registered"));
  }
  return secretId;
}

/** Null: the role has no such secret id, or it has expired. */
export function findSecretId(context: AuthContext, role: Role, text: string): Promise<StoredSecretId | null> {
  return readByHash(context, role.key, hashOf(context, role, text));
}

async function readByHash(
  { storage, clock }: AuthContext,
  roleKey: string,
  hash: string,
): Promise<StoredSecretId | null> {
  const entry = await storage.get(secretKey(roleKey, hash));
  if (entry === null) return null;
  const secretId = entry.value as unknown as SecretId;
  if (secretId.expiresAt !== null && secretId.expiresAt <= clock.now()) return null;
  return { secretId, hash, version: entry.version };
}

/** Null: the role has no secret id with this accessor, or it has expired. */
export async function findByAccessor(
  context: AuthContext,
  role: Role,
  accessor: string,
): Promise<StoredSecretId | null> {
  if (!UUID.test(accessor)) return null;
  const entry = await context.storage.get(accessorKey(role.key, accessor));
  const hash = entry?.value.hash;
  return typeof hash === "string" ? readByHash(context, role.key, hash) : null;
}

export function listAccessors({ storage }: AuthContext, role: Role): Promise<readonly string[]> {
  return storage.list(`${ACCESSORS}${role.key}/`);
}

/**
 * Takes one use. Of several at once, no more succeed than there are uses.
 * @throws STORE_CONFLICT when somebody else changed the secret id since it was read.
 */
export async function spendUse(context: AuthContext, role: Role, stored: StoredSecretId): Promise<void> {
  const { secretId, hash, version } = stored;
  const key = secretKey(role.key, hash);
  if (secretId.numUses === 1) {
    await dropSecretId(context, role, stored);
  } else if (secretId.numUses > 1) {
    const value = { ...secretId, numUses: secretId.numUses - 1, updatedAt: context.clock.now() };
    await context.storage.commit([
      { op: "put", key, value: value as unknown as JsonObject, dueAt: secretId.expiresAt, expect: version },
    ]);
  }
}

/** @throws STORE_CONFLICT when somebody else changed it since it was read. */
export async function dropSecretId(
  { storage }: AuthContext,
  role: Pick<Role, "key">,
  { secretId, hash, version }: StoredSecretId,
): Promise<void> {
  await storage.commit([
    { op: "delete", key: secretKey(role.key, hash), expect: version },
    { op: "delete", key: accessorKey(role.key, secretId.accessor) },
  ]);
}

/** Due work: deletes a secret id that has expired, or all that a deleted role left. */
export async function settleDue(context: AuthContext, key: string): Promise<void> {
  if (key.startsWith(GONE)) {
    await clearRole(context, key.slice(GONE.length));
  } else if (key.startsWith(SECRETS)) {
    const [roleKey = "", hash = ""] = key.slice(SECRETS.length).split("/");
    await dropExpired(context, roleKey, hash);
  }
}

async function dropExpired(context: AuthContext, roleKey: string, hash: string): Promise<boolean> {
  const entry = await context.storage.get(secretKey(roleKey, hash));
  if (entry === null) return false;
  const secretId = entry.value as unknown as SecretId;
  if (secretId.expiresAt === null || secretId.expiresAt > context.clock.now()) return false;
  await dropSecretId(context, { key: roleKey }, { secretId, hash, version: entry.version });
  return true;
}

/** Deletes every secret id of a role's life. Can be taken up again wherever it was broken off. */
export async function clearRole({ storage }: AuthContext, roleKey: string): Promise<void> {
  for (const prefix of [`${SECRETS}${roleKey}/`, `${ACCESSORS}${roleKey}/`]) {
    const names = await storage.list(prefix);
    for (let at = 0; at < names.length; at += BATCH) {
      const batch = names.slice(at, at + BATCH);
      await storage.commit(batch.map((name) => ({ op: "delete", key: prefix + name })));
    }
  }
  await storage.commit([{ op: "delete", key: GONE + roleKey }]);
}

/** Deletes what has expired, and what belongs to no role any more. @returns How many secret ids had expired. */
export async function tidySecretIds(context: AuthContext): Promise<number> {
  const { storage } = context;
  // In this order: a role that is made meanwhile is then among the roles.
  const folders = (await storage.list(SECRETS)).map((name) => name.replace(/\/$/, ""));
  const live = new Set<string>();
  for (const name of await listRoles(context)) {
    const stored = await readRole(context, name);
    if (stored !== null) live.add(stored.role.key);
  }
  let dropped = 0;
  for (const roleKey of folders) {
    if (live.has(roleKey)) dropped += await tidyRole(context, roleKey);
    else await clearRole(context, roleKey);
  }
  return dropped;
}

async function tidyRole(context: AuthContext, roleKey: string): Promise<number> {
  let dropped = 0;
  for (const hash of await context.storage.list(`${SECRETS}${roleKey}/`)) {
    try {
      if (await dropExpired(context, roleKey, hash)) dropped += 1;
    } catch (error) {
      // Somebody used or destroyed it meanwhile; if it is still there, it is due.
      if (!hasCode(error, "STORE_CONFLICT")) throw error;
    }
  }
  return dropped;
}
