import type { Barrier, StoredEntry } from "../../barrier/port.ts";
import { VsecError } from "../../base/errors.ts";
import { isJsonObject, parseJson } from "../../base/json.ts";

/*
 * An entity is one who uses the store, by whatever auth methods; an alias is the entity as one method knows it. Keys:
 *
 *   identity/entity/<id>                          the entity with its aliases
 *   identity/entity-name/<hash of the name>       its id
 *   identity/alias/<id>                           its entity's id
 *   identity/alias-name/<accessor>/<hash>         its entity's id
 *   identity/merged/<id>                          the id of the entity that this one was merged into
 *
 * The last four are indexes, always written in one batch with the entities.
 */

export type Metadata = Readonly<Record<string, string>>;

/** Times are milliseconds since the epoch. */
export interface Alias {
  readonly id: string;
  readonly name: string;
  /** Of the auth mount. */
  readonly mountAccessor: string;
  /** The method's, of the last login. */
  readonly metadata: Metadata;
  /** People's. */
  readonly customMetadata: Metadata;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly mergedFromCanonicalIds: readonly string[];
}

export interface Entity {
  readonly v: 1;
  readonly id: string;
  readonly name: string;
  readonly metadata: Metadata;
  readonly policies: readonly string[];
  readonly disabled: boolean;
  readonly aliases: readonly Alias[];
  readonly mergedEntityIds: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface StoredEntity {
  readonly entity: Entity;
  readonly version: number;
}

export const ENTITY_PREFIX = "identity/entity/";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a text can be the id of an entity or alias at all. */
export function isIdentityId(text: string): boolean {
  return UUID.test(text);
}

type Hasher = Pick<Barrier, "hash">;

/** Names of entities are the same whatever their case. */
export function nameKey(barrier: Hasher, name: string): string {
  return `identity/entity-name/${barrier.hash("identity/entity-name", name.toLowerCase())}`;
}

export function aliasNameKey(barrier: Hasher, accessor: string, name: string): string {
  return `identity/alias-name/${accessor}/${barrier.hash("identity/alias-name", name)}`;
}

export const aliasKey = (id: string): string => `identity/alias/${id}`;
export const mergedKey = (id: string): string => `identity/merged/${id}`;

/** The index entries that an entity has; each holds the entity's id. */
export function indexKeys(barrier: Hasher, entity: Entity): readonly string[] {
  return [
    nameKey(barrier, entity.name),
    ...entity.aliases.flatMap((alias) => [
      aliasKey(alias.id),
      aliasNameKey(barrier, alias.mountAccessor, alias.name),
    ]),
    ...entity.mergedEntityIds.map(mergedKey),
  ];
}

/** @throws BARRIER_DAMAGED when the entry is no entity of a known version. */
export function decodeEntity(entry: StoredEntry): StoredEntity {
  const value = parseJson(Buffer.from(entry.value).toString("utf8"));
  if (!isJsonObject(value) || value.v !== 1) {
    throw new VsecError("BARRIER_DAMAGED", "an entity is of a version that this vsec does not know");
  }
  return { entity: value as unknown as Entity, version: entry.version };
}
