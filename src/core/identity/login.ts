import { isDeepStrictEqual } from "node:util";
import { ApiError } from "../../base/errors.ts";
import { randomUuid } from "../../base/random.ts";
import type { LoginGrant } from "../../framework/auth.ts";
import { type MountEntry, TOKEN_ACCESSOR } from "../mounts/table.ts";
import type { IdentityView } from "../policies/identity-view.ts";
import type { Services } from "../services.ts";
import type { TokenIdentity } from "../tokens/identity.ts";
import type { Alias, Entity } from "./record.ts";
import { entityByAliasName, entityOrSuccessor, newEntity, retrying, saveEntities } from "./store.ts";

/** What identity says about a caller at each request. */
export interface EntityStanding {
  readonly view: IdentityView;
  /** Added to those of the token. */
  readonly policies: readonly string[];
  /** A disabled entity's tokens are refused. */
  readonly disabled: boolean;
}

type IdentityServices = Pick<Services, "barrier" | "clock" | "random">;

/**
 * The entity of somebody who logs in; made at the first login. The alias takes the login's metadata.
 * @param mount - The auth mount, or `{ accessor: TOKEN_ACCESSOR }` for the aliases of token roles.
 * @returns Null when the login has no alias.
 * @throws ApiError 403 when the entity is disabled.
 */
export async function entityForLogin(
  services: IdentityServices,
  mount: Pick<MountEntry, "accessor">,
  alias: LoginGrant["alias"],
): Promise<IdentityView | null> {
  if (alias === null) return null;
  return retrying(async () => {
    const now = services.clock.now();
    const before = await entityByAliasName(services, mount.accessor, alias.name);
    if (before?.entity.disabled) throw new ApiError(403, "permission denied");
    if (before === null) {
      const made = newAlias(services, mount.accessor, alias.name, now);
      const entity = newEntity(services.random, now, "");
      const after = { ...entity, aliases: [{ ...made, metadata: alias.metadata }] };
      await saveEntities(services, [{ before: null, after }]);
      return viewOf(after);
    }
    const after = withMetadata(before.entity, mount.accessor, alias, now);
    if (after !== before.entity) await saveEntities(services, [{ before, after }]);
    return viewOf(after);
  });
}

/** An alias that has nothing but its name yet. */
export function newAlias(
  { random }: Pick<Services, "random">,
  mountAccessor: string,
  name: string,
  now: number,
): Alias {
  return {
    id: randomUuid(random),
    name,
    mountAccessor,
    metadata: {},
    customMetadata: {},
    createdAt: now,
    updatedAt: now,
    mergedFromCanonicalIds: [],
  };
}

/** The entity itself when its alias has this metadata already: a login then writes nothing. */
function withMetadata(
  entity: Entity,
  accessor: string,
  { name, metadata }: NonNullable<LoginGrant["alias"]>,
  now: number,
): Entity {
  const isStale = (alias: Alias): boolean =>
    alias.mountAccessor === accessor && alias.name === name && !isDeepStrictEqual(alias.metadata, metadata);
  if (!entity.aliases.some(isStale)) return entity;
  const aliases = entity.aliases.map((alias) =>
    isStale(alias) ? { ...alias, metadata, updatedAt: now } : alias,
  );
  return { ...entity, aliases, updatedAt: now };
}

/** What tokens ask the identity store. */
export function tokenIdentity(services: IdentityServices): TokenIdentity {
  return {
    policiesOf: async (entityId) => (await standingOf(services, entityId))?.policies ?? [],
    entityForAlias: async (name) => {
      const view = await entityForLogin(services, { accessor: TOKEN_ACCESSOR }, { name, metadata: {} });
      return view?.id ?? "";
    },
  };
}

/** Who an entity is. Null: there is no such entity, nor one that it was merged into. */
export async function identityOf(
  services: Pick<Services, "barrier">,
  entityId: string,
): Promise<IdentityView | null> {
  return (await standingOf(services, entityId))?.view ?? null;
}

/** Who an entity is and what it may. Null: there is no such entity, nor one that it was merged into. */
export async function standingOf(
  services: Pick<Services, "barrier">,
  entityId: string,
): Promise<EntityStanding | null> {
  const stored = await entityOrSuccessor(services, entityId);
  if (stored === null) return null;
  const { entity } = stored;
  return { view: viewOf(entity), policies: entity.policies, disabled: entity.disabled };
}

function viewOf(entity: Entity): IdentityView {
  return {
    id: entity.id,
    name: entity.name,
    metadata: entity.metadata,
    aliases: entity.aliases.map(({ id, name, mountAccessor, metadata, customMetadata }) => ({
      id,
      name,
      mountAccessor,
      metadata,
      customMetadata,
    })),
    groups: [],
  };
}
