import { badRequest } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import type { EngineRequest } from "../../../framework/backend.ts";
import type { Fields, Values } from "../../../framework/field.ts";
import type { EngineStorage } from "../../../framework/storage.ts";
import type { ROLE_FIELDS } from "./fields.ts";

/** What may be issued: the parameters as they are given to `roles/:name`, durations in seconds. */
export type Role = Omit<Values<typeof ROLE_FIELDS>, "name">;

const PREFIX = "role/";

/** Null: no such role. */
export async function readRole(storage: EngineStorage, name: string): Promise<Role | null> {
  const entry = await storage.get(PREFIX + name);
  return entry === null ? null : (entry.value as unknown as Role);
}

/** @throws ApiError 400 in the words of the paths that use a role. */
export async function requireRole(storage: EngineStorage, name: string): Promise<Role> {
  const role = await readRole(storage, name);
  if (role === null) throw badRequest(`unknown role: ${name}`);
  return role;
}

export async function writeRole(storage: EngineStorage, name: string, role: Role): Promise<void> {
  await storage.commit([{ op: "put", key: PREFIX + name, value: role as unknown as JsonObject }]);
}

export async function deleteRole(storage: EngineStorage, name: string): Promise<void> {
  await storage.commit([{ op: "delete", key: PREFIX + name }]);
}

export function listRoles(storage: EngineStorage): Promise<readonly string[]> {
  return storage.list(PREFIX);
}

/** A request, as far as it knows its caller. */
type Asker = Pick<EngineRequest<Fields>, "fillTemplate">;

/** The role with its templates filled by the caller's identity. What cannot be filled allows nothing. */
export async function filledRole(role: Role, asker: Asker): Promise<Role> {
  const fill = async (texts: readonly string[], isTemplate: boolean): Promise<readonly string[]> => {
    if (!isTemplate) return texts;
    const filled = await Promise.all(texts.map((text) => asker.fillTemplate(text)));
    return filled.filter((text) => text !== null);
  };
  return {
    ...role,
    allowed_domains: await fill(role.allowed_domains, role.allowed_domains_template),
    allowed_uri_sans: await fill(role.allowed_uri_sans, role.allowed_uri_sans_template),
  };
}
