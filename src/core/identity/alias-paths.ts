import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type OperationSpec, type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field, type Given } from "../../framework/field.ts";
import { checkMetadata } from "../../framework/metadata.ts";
import type { Services } from "../services.ts";
import { describeAlias, mountsByAccessor } from "./describe.ts";
import { newAlias } from "./login.ts";
import type { Alias, Entity, StoredEntity } from "./record.ts";
import {
  type EntityChange,
  entityByAliasId,
  entityByAliasName,
  entityPages,
  newEntity,
  readEntity,
  retrying,
  saveEntities,
} from "./store.ts";

const NAME_BYTES_MAX = 4096;

const FIELDS = {
  id: field.string({ description: "The alias's id." }),
  name: field.string({ description: "What the auth method calls the entity." }),
  canonical_id: field.string({ description: "The entity's id; without it, a new entity is made." }),
  entity_id: field.string({ description: "The old name of canonical_id.", deprecated: true }),
  mount_accessor: field.string({ description: "The auth method's accessor." }),
  custom_metadata: field.kvPairs({ description: "Metadata, for templates in policies." }),
};

type AliasGiven = Given<typeof FIELDS>;

/** `entity-alias` and below. @see reference: identity basics. */
export function aliasPaths(services: Services): PathSpec[] {
  const write: OperationSpec<typeof FIELDS> = {
    summary: "Make an alias, or change one.",
    handler: ({ given }) => retrying(() => writeAlias(services, given)),
  };
  return [
    path({
      pattern: "entity-alias",
      fields: FIELDS,
      help: { synopsis: "Make an alias, or change one." },
      operations: { update: write },
    }),
    idPath(services, write),
    listPath(services),
  ];
}

function idPath(services: Services, write: OperationSpec<typeof FIELDS>): PathSpec {
  return path({
    pattern: "entity-alias/id/:id",
    captures: { id: /[^/]+/ },
    fields: FIELDS,
    help: { synopsis: "Show, change or delete an alias." },
    operations: {
      read: {
        summary: "Show an alias.",
        handler: async ({ values }) => {
          const stored = await entityByAliasId(services, values.id);
          const alias = stored?.entity.aliases.find((one) => one.id === values.id);
          if (stored === null || alias === undefined) return undefined;
          return { data: describeAlias(stored.entity, alias, await mountsByAccessor(services)) };
        },
      },
      update: write,
      delete: {
        summary: "Delete an alias. The entity stays.",
        handler: ({ values }) => retrying(() => removeAlias(services, values.id)),
      },
    },
  });
}

async function removeAlias(services: Services, id: string): Promise<undefined> {
  const before = await entityByAliasId(services, id);
  if (before === null) return undefined;
  const after = without(before.entity, id, services.clock.now());
  await saveEntities(services, [{ before, after }]);
  return undefined;
}

function without(entity: Entity, aliasId: string, now: number): Entity {
  return { ...entity, aliases: entity.aliases.filter((alias) => alias.id !== aliasId), updatedAt: now };
}

function withAlias(entity: Entity, alias: Alias, now: number): Entity {
  return { ...without(entity, alias.id, now), aliases: [...without(entity, alias.id, now).aliases, alias] };
}

async function writeAlias(services: Services, given: AliasGiven): Promise<Reply> {
  const now = services.clock.now();
  const before = await holderOf(services, given);
  const old = before === null ? undefined : aliasMeant(before.entity, given);
  const name = given.name || old?.name || "";
  const accessor = given.mount_accessor || old?.mountAccessor || "";
  if (name === "" || accessor === "")
    throw badRequest("'id' or 'mount_accessor' and 'name' must be provided");
  await checkFactors(services, name, accessor, old?.id);
  const base = old ?? newAlias(services, accessor, name, now);
  const alias: Alias = {
    ...base,
    name,
    mountAccessor: accessor,
    customMetadata: customMetadata(given) ?? base.customMetadata,
    updatedAt: now,
  };
  const owner = await ownerOf(services, given, before, now);
  refuseSecond(owner.entity, alias);
  await saveEntities(services, changesFor(before, owner, alias, now));
  return { data: { canonical_id: owner.entity.id, id: alias.id } };
}

/** The entity that has the alias which a write means. Null: the alias is new. */
async function holderOf(services: Services, given: AliasGiven): Promise<StoredEntity | null> {
  if (given.id) {
    const stored = await entityByAliasId(services, given.id);
    if (stored === null) throw badRequest("invalid alias ID");
    return stored;
  }
  if (!given.name || !given.mount_accessor) return null;
  return entityByAliasName(services, given.mount_accessor, given.name);
}

function aliasMeant({ aliases }: Entity, given: AliasGiven): Alias | undefined {
  return given.id
    ? aliases.find((alias) => alias.id === given.id)
    : aliases.find((alias) => alias.name === given.name && alias.mountAccessor === given.mount_accessor);
}

async function checkFactors(
  services: Services,
  name: string,
  accessor: string,
  aliasId: string | undefined,
): Promise<void> {
  if (Buffer.byteLength(name) > NAME_BYTES_MAX)
    throw badRequest(`alias name is longer than ${NAME_BYTES_MAX} bytes`);
  const mount = (await mountsByAccessor(services))(accessor);
  if (mount === null || !mount.path.startsWith("auth/")) {
    throw badRequest(`invalid mount accessor ${JSON.stringify(accessor.slice(0, 128))}`);
  }
  const holder = await entityByAliasName(services, accessor, name);
  const other = holder?.entity.aliases.find(
    (alias) => alias.name === name && alias.mountAccessor === accessor,
  );
  if (other !== undefined && other.id !== aliasId) {
    throw badRequest("alias with combination of mount accessor and name already exists");
  }
}

function customMetadata({ custom_metadata: metadata }: AliasGiven): AliasGiven["custom_metadata"] {
  if (metadata !== undefined) checkMetadata("custom_metadata", metadata);
  return metadata;
}

/** The entity that is to have the alias: the one named, else the one that has it, else a new one (version 0). */
async function ownerOf(
  services: Services,
  given: AliasGiven,
  before: StoredEntity | null,
  now: number,
): Promise<StoredEntity> {
  const id = given.canonical_id || given.entity_id || "";
  if (id === "") return before ?? { entity: newEntity(services.random, now, ""), version: 0 };
  const stored = await readEntity(services, id);
  if (stored === null) throw badRequest("invalid canonical ID");
  return stored;
}

function refuseSecond(entity: Entity, alias: Alias): void {
  const isSecond = entity.aliases.some(
    (other) => other.mountAccessor === alias.mountAccessor && other.id !== alias.id,
  );
  if (isSecond) throw badRequest("Alias already exists for requested entity and mount accessor");
}

function changesFor(
  before: StoredEntity | null,
  owner: StoredEntity,
  alias: Alias,
  now: number,
): readonly EntityChange[] {
  const taking: EntityChange = {
    before: owner.version === 0 ? null : owner,
    after: withAlias(owner.entity, alias, now),
  };
  if (before === null || before.entity.id === owner.entity.id) return [taking];
  return [{ before, after: without(before.entity, alias.id, now) }, taking];
}

function listPath(services: Services): PathSpec {
  return path({
    pattern: "entity-alias/id",
    fields: {},
    help: { synopsis: "List the aliases by their ids." },
    operations: {
      list: {
        summary: "List the aliases.",
        handler: async () => {
          const find = await mountsByAccessor(services);
          const info: [string, JsonObject][] = [];
          for await (const page of entityPages(services)) {
            for (const { entity } of page) {
              for (const alias of entity.aliases) {
                info.push([alias.id, brief(describeAlias(entity, alias, find))]);
              }
            }
          }
          info.sort(([a], [b]) => (a < b ? -1 : 1));
          return { data: { key_info: Object.fromEntries(info), keys: info.map(([id]) => id) } };
        },
      },
    },
  });
}

const BRIEF = [
  "canonical_id",
  "custom_metadata",
  "local",
  "metadata",
  "mount_accessor",
  "mount_path",
  "mount_type",
  "name",
] as const;

function brief(alias: JsonObject): JsonObject {
  return Object.fromEntries(BRIEF.map((name) => [name, alias[name] ?? null]));
}
