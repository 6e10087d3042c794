import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type OperationSpec, type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field, type Given } from "../../framework/field.ts";
import { checkMetadata } from "../../framework/metadata.ts";
import { policyNames } from "../../framework/token-fields.ts";
import type { Services } from "../services.ts";
import { describeEntity, mountsByAccessor } from "./describe.ts";
import type { Entity, StoredEntity } from "./record.ts";
import { entityByName, entityPages, newEntity, readEntity, retrying, saveEntities } from "./store.ts";

const NAME_CHARS_MAX = 512;

const FIELDS = {
  id: field.string({ description: "The entity's id; with it, the entity has to be there." }),
  name: field.string({ description: "The entity's name." }),
  metadata: field.kvPairs({ description: "Metadata, for templates in policies." }),
  policies: field.commaStringList({ description: "Policies, added to those of the entity's tokens." }),
  disabled: field.bool({ description: "Refuses the entity's tokens and logins." }),
};

type EntityGiven = Given<typeof FIELDS>;

/** `entity`, `entity/id/…` and `entity/name/…`. @see reference: identity basics. */
export function entityPaths(services: Services): PathSpec[] {
  const write: OperationSpec<typeof FIELDS> = {
    summary: "Make an entity, or change one.",
    handler: ({ given }) => retrying(() => writeEntity(services, given)),
  };
  return [
    path({
      pattern: "entity",
      fields: FIELDS,
      help: { synopsis: "Make an entity, or change one." },
      operations: { update: write },
    }),
    idPath(services, write),
    namePath(services, write),
    listIdsPath(services),
    listNamesPath(services),
  ];
}

function idPath(services: Services, write: OperationSpec<typeof FIELDS>): PathSpec {
  return path({
    pattern: "entity/id/:id",
    captures: { id: /[^/]+/ },
    fields: FIELDS,
    help: { synopsis: "Show, change or delete an entity by its id." },
    operations: {
      read: {
        summary: "Show an entity.",
        handler: async ({ values }) => show(services, await readEntity(services, values.id)),
      },
      update: write,
      delete: {
        summary: "Delete an entity and its aliases.",
        handler: ({ values }) => removeEntity(services, () => readEntity(services, values.id)),
      },
    },
  });
}

function namePath(services: Services, write: OperationSpec<typeof FIELDS>): PathSpec {
  return path({
    pattern: "entity/name/:name",
    captures: { name: /[^/]+/ },
    fields: FIELDS,
    help: { synopsis: "Show, make, change or delete an entity by its name." },
    operations: {
      read: {
        summary: "Show an entity.",
        handler: async ({ values }) => show(services, await entityByName(services, values.name)),
      },
      update: write,
      delete: {
        summary: "Delete an entity and its aliases.",
        handler: ({ values }) => removeEntity(services, () => entityByName(services, values.name)),
      },
    },
  });
}

/** An entity as an answer. Null: nothing. */
export async function show(services: Services, stored: StoredEntity | null): Promise<Reply | undefined> {
  if (stored === null) return undefined;
  return { data: describeEntity(stored.entity, await mountsByAccessor(services)) };
}

async function writeEntity(services: Services, given: EntityGiven): Promise<Reply | undefined> {
  const now = services.clock.now();
  const before = await target(services, given);
  const base = before?.entity ?? newEntity(services.random, now, checkedName(given.name ?? ""));
  const after: Entity = {
    ...base,
    name: given.name === undefined || given.name === "" ? base.name : checkedName(given.name),
    metadata: given.metadata === undefined ? base.metadata : checkedMetadata(given.metadata),
    policies: given.policies === undefined ? base.policies : checkedPolicies(given.policies),
    disabled: given.disabled ?? base.disabled,
    updatedAt: now,
  };
  const named = await entityByName(services, after.name);
  if (named !== null && named.entity.id !== after.id) throw badRequest("entity name is already in use");
  await saveEntities(services, [{ before, after }]);
  return before === null ? { data: { aliases: null, id: after.id, name: after.name } } : undefined;
}

/** The entity that a write means. Null: a new one. */
async function target(services: Services, { id, name }: EntityGiven): Promise<StoredEntity | null> {
  if (id !== undefined && id !== "") {
    const stored = await readEntity(services, id);
    if (stored === null) throw badRequest("entity not found from id");
    return stored;
  }
  return name === undefined || name === "" ? null : entityByName(services, name);
}

function checkedName(name: string): string {
  if (name.length > NAME_CHARS_MAX || /[^\P{C}]/u.test(name) || name.includes("/")) {
    throw badRequest(`entity name has a slash or unprintable characters, or more than ${NAME_CHARS_MAX}`);
  }
  return name;
}

function checkedMetadata(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  checkMetadata("metadata", metadata);
  return metadata;
}

function checkedPolicies(names: readonly string[]): readonly string[] {
  const policies = policyNames(names);
  if (policies.includes("root")) throw badRequest("policies cannot contain root");
  return policies;
}

/** Deletes what `find` finds; nothing is a success. */
export function removeEntity(
  services: Services,
  find: () => Promise<StoredEntity | null>,
): Promise<undefined> {
  return retrying(async () => {
    const before = await find();
    if (before !== null) await saveEntities(services, [{ before, after: null }]);
    return undefined;
  });
}

function listIdsPath(services: Services): PathSpec {
  return path({
    pattern: "entity/id",
    fields: {},
    help: { synopsis: "List the entities by their ids." },
    operations: {
      list: {
        summary: "List the entities.",
        handler: async () => {
          const find = await mountsByAccessor(services);
          const info: [string, JsonObject][] = [];
          for await (const page of entityPages(services)) {
            for (const { entity } of page) info.push([entity.id, brief(describeEntity(entity, find))]);
          }
          return { data: { key_info: Object.fromEntries(info), keys: info.map(([id]) => id) } };
        },
      },
    },
  });
}

function brief({ name, aliases }: JsonObject): JsonObject {
  const short = (aliases as readonly JsonObject[]).map((alias) => ({
    id: alias.id ?? "",
    mount_accessor: alias.mount_accessor ?? "",
    mount_path: alias.mount_path ?? "",
    mount_type: alias.mount_type ?? "",
    name: alias.name ?? "",
  }));
  return { aliases: short, name: name ?? "" };
}

function listNamesPath(services: Services): PathSpec {
  return path({
    pattern: "entity/name",
    fields: {},
    help: { synopsis: "List the entities by their names." },
    operations: {
      list: {
        summary: "List the entities' names.",
        handler: async () => {
          const names: string[] = [];
          for await (const page of entityPages(services))
            names.push(...page.map(({ entity }) => entity.name));
          return { data: { keys: names.sort() } };
        },
      },
    },
  });
}
