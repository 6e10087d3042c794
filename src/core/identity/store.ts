import { ABSENT, type Barrier, type Write } from "../../barrier/port.ts";
import { hasCode } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { randomUuid } from "../../base/random.ts";
import type { Services } from "../services.ts";
import {
  aliasKey,
  aliasNameKey,
  decodeEntity,
  ENTITY_PREFIX,
  type Entity,
  indexKeys,
  isIdentityId,
  mergedKey,
  nameKey,
  type StoredEntity,
} from "./record.ts";

const PAGE = 500;
const TRIES_MAX = 20;

/** Null: no such entity. */
export async function readEntity(
  { barrier }: Pick<Services, "barrier">,
  id: string,
): Promise<StoredEntity | null> {
  if (!isIdentityId(id)) return null;
  const entry = await barrier.get(ENTITY_PREFIX + id);
  return entry === null ? null : decodeEntity(entry);
}

/** The entity that an index entry names. Null: there is none. */
async function byIndex(services: Pick<Services, "barrier">, key: string): Promise<StoredEntity | null> {
  const entry = await services.barrier.get(key);
  return entry === null ? null : readEntity(services, Buffer.from(entry.value).toString("utf8"));
}

export function entityByName(
  services: Pick<Services, "barrier">,
  name: string,
): Promise<StoredEntity | null> {
  return byIndex(services, nameKey(services.barrier, name));
}

export async function entityByAliasId(
  services: Pick<Services, "barrier">,
  id: string,
): Promise<StoredEntity | null> {
  return isIdentityId(id) ? byIndex(services, aliasKey(id)) : null;
}

/** @param accessor - An auth mount's; any other text finds nothing. */
export async function entityByAliasName(
  services: Pick<Services, "barrier">,
  accessor: string,
  name: string,
): Promise<StoredEntity | null> {
  if (!/^\w+$/.test(accessor)) return null;
  return byIndex(services, aliasNameKey(services.barrier, accessor, name));
}

/** The entity with this id, or the one that it was merged into. */
export async function entityOrSuccessor(
  services: Pick<Services, "barrier">,
  id: string,
): Promise<StoredEntity | null> {
  const own = await readEntity(services, id);
  if (own !== null || !isIdentityId(id)) return own;
  return byIndex(services, mergedKey(id));
}

/** One entity's change: what it was (null: nothing) and what it is to be (null: gone). */
export interface EntityChange {
  readonly before: StoredEntity | null;
  readonly after: Entity | null;
}

/**
 * Commits changes of entities with all their indexes, all or nothing.
 * @throws STORE_CONFLICT when one of them was changed meanwhile, or a new name or alias belongs to another entity.
 */
export async function saveEntities(
  { barrier }: Pick<Services, "barrier">,
  changes: readonly EntityChange[],
): Promise<void> {
  const before = new Set(changes.flatMap((change) => keysOf(barrier, change.before?.entity ?? null)));
  const after = new Map(
    changes.flatMap((change) =>
      keysOf(barrier, change.after).map((key) => [key, change.after?.id ?? ""] as const),
    ),
  );
  const encoder = new TextEncoder();
  const indexes = [...after].map(
    ([key, id]): Write => ({
      op: "put",
      key,
      value: encoder.encode(id),
      // What one of these entities had already is theirs to pass on: the entities' own versions guard it.
      ...(before.has(key) ? {} : { expect: ABSENT }),
    }),
  );
  const gone = [...before].filter((key) => !after.has(key)).map((key): Write => ({ op: "delete", key }));
  await barrier.commit([...changes.flatMap(entityWrite), ...indexes, ...gone]);
}

function keysOf(barrier: Barrier, entity: Entity | null): readonly string[] {
  return entity === null ? [] : indexKeys(barrier, entity);
}

function entityWrite({ before, after }: EntityChange): Write[] {
  const expect = before?.version ?? ABSENT;
  if (after !== null) {
    const value = new TextEncoder().encode(JSON.stringify(after));
    return [{ op: "put", key: ENTITY_PREFIX + after.id, value, expect }];
  }
  return before === null ? [] : [{ op: "delete", key: ENTITY_PREFIX + before.entity.id, expect }];
}

/** Reads, decides and commits; again from a fresh reading when somebody else was faster. */
export async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT") || tries === TRIES_MAX) throw error;
    }
  }
}

/** All entities, page by page. */
export async function* entityPages({
  barrier,
}: Pick<Services, "barrier">): AsyncGenerator<readonly StoredEntity[]> {
  let after: string | undefined;
  do {
    const page = await barrier.scan(ENTITY_PREFIX, {
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    yield page.entries.map(decodeEntity);
    after = page.next ?? undefined;
  } while (after !== undefined);
}

/** An entity that has nothing but its name yet. @param name - "": one is made up. */
export function newEntity(random: Random, now: number, name: string): Entity {
  return {
    v: 1,
    id: randomUuid(random),
    name: name || `entity_${Buffer.from(random.bytes(4)).toString("hex")}`,
    metadata: {},
    policies: [],
    disabled: false,
    aliases: [],
    mergedEntityIds: [],
    createdAt: now,
    updatedAt: now,
  };
}
