import { ApiError, aggregate, hasCode } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { randomUuid } from "../../base/random.ts";
import type { AuthContext } from "../../framework/auth.ts";
import type { EngineWrite } from "../../framework/storage.ts";
import type { TokenTerms } from "../../framework/token-fields.ts";

/*
 * Keys below the mount: `role/<name>`; `role-id/<hash>` with the role's name; and for each life of a role, under a key that
 * no later role of the name has, `secret-id/<role key>/<hash>` and `accessor/<role key>/<accessor>`. What is left of a
 * deleted role is listed as `gone/<role key>`, due until it is cleared.
 */

export interface Role {
  /** Names this life of the role: secret ids of a deleted role do not come back with a new one of the same name. */
  readonly key: string;
  readonly name: string;
  readonly roleId: string;
  readonly bindSecretId: boolean;
  readonly secretIdBoundCidrs: readonly string[];
  /** 0: unlimited. */
  readonly secretIdNumUses: number;
  /** 0: no expiry. */
  readonly secretIdTtlSeconds: number;
  readonly localSecretIds: boolean;
  readonly terms: TokenTerms;
  /** Written under the old names, so shown under them as well. */
  readonly oldNames: readonly (typeof OLD_NAMES)[number][];
}

export const OLD_NAMES = ["policies", "period"] as const;

export interface StoredRole {
  readonly role: Role;
  readonly version: number;
}

const ROLES = "role/";
export const GONE = "gone/";
/** How long the clearing of a deleted role may take before somebody else takes it up. */
export const CLEAR_MS = 60_000;

/** Role ids and secret ids are at most this long. @see reference: approle. */
export const ID_BYTES_MAX = 4096;

/** Null: no such role. */
export async function readRole({ storage }: AuthContext, name: string): Promise<StoredRole | null> {
  const entry = await storage.get(ROLES + name.toLowerCase());
  return entry === null ? null : { role: entry.value as unknown as Role, version: entry.version };
}

export function listRoles({ storage }: AuthContext): Promise<readonly string[]> {
  return storage.list(ROLES);
}

function roleIdKey(context: AuthContext, roleId: string): string {
  return `role-id/${context.hash("role-id", roleId)}`;
}

/** The role that a role id stands for. Null: none. */
export async function roleOfId(context: AuthContext, roleId: string): Promise<StoredRole | null> {
  const entry = await context.storage.get(roleIdKey(context, roleId));
  const name = entry?.value.name;
  if (typeof name !== "string") return null;
  const stored = await readRole(context, name);
  return stored !== null && stored.role.roleId === roleId ? stored : null;
}

/** The keys of a new role's life. */
export function newRoleIds({ random }: AuthContext): { readonly key: string; readonly roleId: string } {
  return { key: randomUuid(random), roleId: randomUuid(random) };
}

/**
 * Stores a role, and the index of its role id when that is new.
 * @param old - What it replaces; null: nothing.
 * @throws ApiError 500 `role_id already in use`; STORE_CONFLICT when somebody else changed the role meanwhile.
 */
export async function writeRole(context: AuthContext, old: StoredRole | null, role: Role): Promise<void> {
  const key = ROLES + role.name;
  const value = role as unknown as JsonObject;
  const writes: EngineWrite[] = [{ op: "put", key, value, expect: old?.version ?? 0 }];
  if (old?.role.roleId !== role.roleId) {
    await refuseTaken(context, role);
    const index = roleIdKey(context, role.roleId);
    writes.push({ op: "put", key: index, value: { name: role.name }, expect: 0 });
    if (old !== null) writes.push({ op: "delete", key: roleIdKey(context, old.role.roleId) });
  }
  await context.storage.commit(writes);
}

async function refuseTaken(context: AuthContext, role: Role): Promise<void> {
  if ((await context.storage.get(roleIdKey(context, role.roleId))) === null) return;
  throw new ApiError(500, aggregate("role_id already in use"));
}

/**
 * Changes a role; again on a fresh one when somebody else was faster.
 * @param change - Null given: there is no such role. Null returned: nothing is to be written.
 */
export async function changeRole(
  context: AuthContext,
  name: string,
  change: (role: Role | null) => Role | null,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const old = await readRole(context, name);
    const role = change(old?.role ?? null);
    if (role === null) return;
    try {
      await writeRole(context, old, role);
      return;
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT") || tries === CHANGE_TRIES_MAX) throw error;
    }
  }
}

const CHANGE_TRIES_MAX = 10;

/** Takes a role out of use; from then on its secret ids are of no use, and cleared as due work. Null: there was none. */
export async function removeRole(context: AuthContext, name: string): Promise<Role | null> {
  const old = await readRole(context, name);
  if (old === null) return null;
  const { role, version } = old;
  await context.storage.commit([
    { op: "delete", key: ROLES + role.name, expect: version },
    { op: "delete", key: roleIdKey(context, role.roleId) },
    { op: "put", key: GONE + role.key, value: {}, dueAt: context.clock.now() + CLEAR_MS },
  ]);
  return role;
}
