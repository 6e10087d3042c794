import { badRequest } from "../../base/errors.ts";
import type { Services } from "../services.ts";
import type { Alias, Entity, StoredEntity } from "./record.ts";
import { readEntity, saveEntities } from "./store.ts";

const MERGED_MAX = 100;

export interface MergeRequest {
  readonly fromIds: readonly string[];
  readonly toId: string;
  /** Where both have an alias of one mount, the one that stays. */
  readonly aliasIdsToKeep: readonly string[];
}

/**
 * Merges entities into one: it takes their aliases over, and answers to their ids. Their policies and metadata go.
 * @throws ApiError 400 with Vault's texts; STORE_CONFLICT when one of them was changed meanwhile.
 */
export async function mergeEntities(services: Services, request: MergeRequest): Promise<void> {
  const { fromIds, toId } = request;
  if (fromIds.length === 0) throw badRequest("missing entity ids to merge from");
  if (fromIds.length > MERGED_MAX) throw badRequest(`more than ${MERGED_MAX} entities to merge from`);
  if (toId === "") throw badRequest("missing entity id to merge to");
  const to = await readEntity(services, toId);
  if (to === null) throw badRequest("entity id to merge to is invalid");
  const from: StoredEntity[] = [];
  for (const id of new Set(fromIds)) {
    if (id === toId) throw badRequest("to_entity_id should not be present in from_entity_ids");
    const stored = await readEntity(services, id);
    if (stored === null) throw badRequest("entity id to merge from is invalid");
    from.push(stored);
  }
  const after = merged(to.entity, from, request.aliasIdsToKeep, services.clock.now());
  await saveEntities(services, [...from.map((before) => ({ before, after: null })), { before: to, after }]);
}

function merged(to: Entity, from: readonly StoredEntity[], keep: readonly string[], now: number): Entity {
  const aliases = new Map<string, Alias>(to.aliases.map((alias) => [alias.mountAccessor, alias]));
  for (const { entity } of from) {
    for (const alias of entity.aliases) {
      const moved = { ...alias, mergedFromCanonicalIds: [...alias.mergedFromCanonicalIds, entity.id] };
      const present = aliases.get(alias.mountAccessor);
      if (present === undefined || keep.includes(alias.id)) aliases.set(alias.mountAccessor, moved);
      else if (!keep.includes(present.id)) throw conflict(present, alias);
    }
  }
  const ids = from.flatMap(({ entity }) => [entity.id, ...entity.mergedEntityIds]);
  const mergedEntityIds = [...new Set([...to.mergedEntityIds, ...ids])];
  return { ...to, aliases: [...aliases.values()], mergedEntityIds, updatedAt: now };
}

function conflict(one: Alias, other: Alias): Error {
  return badRequest(
    `toEntity and at least one fromEntity have aliases with the same mount accessor ${JSON.stringify(one.mountAccessor)}; ` +
      `name the one to keep, ${one.id} or ${other.id}, in conflicting_alias_ids_to_keep`,
  );
}
