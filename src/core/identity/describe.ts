import type { JsonObject } from "../../base/json.ts";
import { type MountEntry, TOKEN_ACCESSOR } from "../mounts/table.ts";
import type { Services } from "../services.ts";
import type { Alias, Entity } from "./record.ts";

/** Where an alias's auth method is mounted, and of which type it is; both empty when it is there no more. */
export interface AliasMount {
  readonly path: string;
  readonly type: string;
}

/** Finds auth mounts by their accessors, all read at once. */
export async function mountsByAccessor({
  mounts,
}: Pick<Services, "mounts">): Promise<(accessor: string) => AliasMount | null> {
  const live = (await mounts.table.entries()).filter((entry) => !entry.retired);
  const known = new Map<string, MountEntry>(live.map((entry) => [entry.accessor, entry]));
  return (accessor) => {
    if (accessor === TOKEN_ACCESSOR) return { path: "auth/token/", type: "token" };
    return known.get(accessor) ?? null;
  };
}

type MountFinder = (accessor: string) => AliasMount | null;

/** An entity as the API shows it. */
export function describeEntity(entity: Entity, find: MountFinder): JsonObject {
  return {
    aliases: entity.aliases.map((alias) => describeAlias(entity, alias, find)),
    creation_time: time(entity.createdAt),
    direct_group_ids: [],
    disabled: entity.disabled,
    group_ids: [],
    id: entity.id,
    inherited_group_ids: [],
    last_update_time: time(entity.updatedAt),
    merged_entity_ids: entity.mergedEntityIds,
    metadata: entity.metadata,
    name: entity.name,
    namespace_id: "root",
    policies: entity.policies,
  };
}

/** An alias as the API shows it. */
export function describeAlias(entity: Entity, alias: Alias, find: MountFinder): JsonObject {
  const mount = find(alias.mountAccessor);
  return {
    canonical_id: entity.id,
    creation_time: time(alias.createdAt),
    custom_metadata: alias.customMetadata,
    id: alias.id,
    last_update_time: time(alias.updatedAt),
    local: false,
    merged_from_canonical_ids: alias.mergedFromCanonicalIds,
    metadata: alias.metadata,
    mount_accessor: alias.mountAccessor,
    mount_path: mount?.path ?? "",
    mount_type: mount?.type ?? "",
    name: alias.name,
    namespace_id: "root",
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
