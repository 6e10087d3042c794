import { endLeasesUnder } from "../leases/end.ts";
import type { LeaseRecord } from "../leases/record.ts";
import { leasesUnder } from "../leases/store.ts";
import type { Services } from "../services.ts";
import { mountPrefix } from "./engine-storage.ts";
import { endTokensOf } from "./retire-tokens.ts";
import { isAuthMount, type MountEntry } from "./table.ts";

/**
 * Disabling a mount never strands a secret: the mount is retired at once (no more requests), its leases are revoked, and
 * only when the last of them is gone its engine's data is cleared. An entry below this prefix, due from the start, sees to
 * it that this goes on, whatever happens to the process that began it.
 */
export const RETIRED_PREFIX = "core/retired/";

const AGAIN_MS = 60_000;
const PAGE = 500;

export interface Retirement {
  /** The leases whose secrets could not be revoked yet, with the backend's own word. */
  readonly failed: readonly { readonly record: LeaseRecord; readonly error: string }[];
}

/** Disables a mount. Null: there is none at this path. */
export async function retireMount(services: Services, path: string): Promise<Retirement | null> {
  const { mounts, clock } = services;
  const found = (await mounts.table.entries()).find((entry) => entry.path === path && !entry.retired);
  if (found === undefined) return null;
  const due = dueEntry(found.uuid, clock.now() + AGAIN_MS);
  await mounts.table.change(
    (entries) => entries.map((entry) => (entry.uuid === found.uuid ? { ...entry, retired: true } : entry)),
    [due],
  );
  return clear(services, { ...found, retired: true });
}

/**
 * Revokes all leases of a mount that is being moved, or, of an auth method, the tokens it granted; leases that fail go on
 * being retried.
 */
export async function endLeasesOf(services: Services, entry: MountEntry): Promise<Retirement> {
  if (isAuthMount(entry)) await endTokensOf(services, entry);
  const ofMount = (record: LeaseRecord): boolean => record.mountUuid === entry.uuid;
  const failed: { record: LeaseRecord; error: string }[] = [];
  for (const prefix of [entry.path, ...entry.formerPaths]) {
    failed.push(...(await endLeasesUnder(services, prefix, ofMount)).failed);
  }
  return { failed };
}

/** Due work: takes the clearing of a retired mount up again. */
export async function settleRetired(services: Services, uuid: string): Promise<void> {
  const entry = await services.mounts.byUuid(uuid);
  if (entry === null) {
    await services.barrier.commit([{ op: "delete", key: RETIRED_PREFIX + uuid }]);
    return;
  }
  await services.barrier.commit([dueEntry(uuid, services.clock.now() + AGAIN_MS)]);
  await clear(services, entry);
}

function dueEntry(uuid: string, dueAt: number) {
  return { op: "put", key: RETIRED_PREFIX + uuid, value: new Uint8Array(), dueAt } as const;
}

async function clear(services: Services, entry: MountEntry): Promise<Retirement> {
  const retirement = await endLeasesOf(services, entry);
  if (!(await hasLeases(services, entry))) await remove(services, entry);
  return retirement;
}

async function hasLeases(services: Services, entry: MountEntry): Promise<boolean> {
  for (const prefix of [entry.path, ...entry.formerPaths]) {
    for await (const page of leasesUnder(services, prefix)) {
      if (page.some((lease) => lease.record.mountUuid === entry.uuid)) return true;
    }
  }
  return false;
}

async function remove(services: Services, entry: MountEntry): Promise<void> {
  const { barrier, mounts } = services;
  await mounts.unload(entry.uuid);
  for (;;) {
    const page = await barrier.scan(mountPrefix(entry.uuid), { limit: PAGE });
    if (page.entries.length === 0) break;
    await barrier.commit(page.entries.map(({ key }) => ({ op: "delete", key })));
  }
  await mounts.table.change(
    (entries) => entries.filter((other) => other.uuid !== entry.uuid),
    [{ op: "delete", key: RETIRED_PREFIX + entry.uuid }],
  );
}
