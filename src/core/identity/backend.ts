import { badRequest } from "../../base/errors.ts";
import { type Backend, type PathSpec, path } from "../../framework/backend.ts";
import { field, type Given } from "../../framework/field.ts";
import type { Services } from "../services.ts";
import { aliasPaths } from "./alias-paths.ts";
import { entityPaths, removeEntity, show } from "./entity-paths.ts";
import { mergeEntities } from "./merge.ts";
import type { StoredEntity } from "./record.ts";
import { entityByAliasId, entityByAliasName, entityByName, readEntity, retrying } from "./store.ts";

const BATCH_MAX = 1000;

/** The identity store, `identity/`: entities and their aliases. */
export function identityBackend(services: Services): Backend {
  return {
    help:
      "The identity store knows who uses the store, by whatever auth methods: an entity for each, with an alias for each " +
      "method it logs in by.",
    paths: [
      ...entityPaths(services),
      ...aliasPaths(services),
      batchDeletePath(services),
      mergePath(services),
      lookupPath(services),
    ],
    secrets: [],
  };
}

function batchDeletePath(services: Services): PathSpec {
  return path({
    pattern: "entity/batch-delete",
    fields: { entity_ids: field.commaStringList({ description: "The entities' ids.", required: true }) },
    help: { synopsis: "Delete several entities." },
    operations: {
      update: {
        summary: "Delete several entities and their aliases.",
        handler: async ({ values }) => {
          const ids = values.entity_ids.filter((id) => id !== "");
          if (ids.length === 0) throw badRequest("missing entity id(s) to delete");
          if (ids.length > BATCH_MAX) throw badRequest(`more than ${BATCH_MAX} entities at once`);
          for (const id of ids) await removeEntity(services, () => readEntity(services, id));
          return undefined;
        },
      },
    },
  });
}

function mergePath(services: Services): PathSpec {
  return path({
    pattern: "entity/merge",
    fields: {
      from_entity_ids: field.commaStringList({ description: "The entities that go.", required: true }),
      to_entity_id: field.string({ description: "The entity that stays.", required: true }),
      conflicting_alias_ids_to_keep: field.commaStringList({
        description: "Where two of them have an alias of one auth method, the ids of those that stay.",
      }),
      force: field.bool({ description: "Of secrets of multi-factor logins; without effect." }),
    },
    help: { synopsis: "Merge entities into one." },
    operations: {
      update: {
        summary: "Merge entities into one.",
        handler: async ({ values }) => {
          const request = {
            fromIds: values.from_entity_ids.filter((id) => id !== ""),
            toId: values.to_entity_id,
            aliasIdsToKeep: values.conflicting_alias_ids_to_keep,
          };
          await retrying(() => mergeEntities(services, request));
          return undefined;
        },
      },
    },
  });
}

const LOOKUP_FIELDS = {
  id: field.string({ description: "The entity's id." }),
  name: field.string({ description: "The entity's name." }),
  alias_id: field.string({ description: "The id of one of its aliases." }),
  alias_name: field.string({ description: "The name of one of its aliases." }),
  alias_mount_accessor: field.string({ description: "The auth method of alias_name." }),
};

function lookupPath(services: Services): PathSpec {
  return path({
    pattern: "lookup/entity",
    fields: LOOKUP_FIELDS,
    help: { synopsis: "Find an entity by its id, its name, or one of its aliases." },
    operations: {
      update: {
        summary: "Find an entity.",
        handler: async ({ given }) => show(services, await find(services, given)),
      },
    },
  });
}

/** @throws ApiError 400 unless exactly one way to find it is given. */
function find(services: Services, given: Given<typeof LOOKUP_FIELDS>): Promise<StoredEntity | null> {
  const { id, name, alias_id: aliasId, alias_name: aliasName, alias_mount_accessor: accessor } = given;
  const ways = [id, name, aliasId, aliasName || accessor].filter(Boolean);
  if (ways.length === 0) throw badRequest("query parameter not supplied");
  if (ways.length > 1)
    throw badRequest("only one of id, name, alias_id, and alias_name with alias_mount_accessor");
  if (id) return readEntity(services, id);
  if (name) return entityByName(services, name);
  if (aliasId) return entityByAliasId(services, aliasId);
  if (!aliasName || !accessor) {
    throw badRequest("both 'alias_name' and 'alias_mount_accessor' must be set");
  }
  return entityByAliasName(services, accessor, aliasName);
}
