import { messageOf } from "../../base/errors.ts";
import { endLeasesUnder } from "../leases/end-under.ts";
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
/** How often another process may change the mounts while one is removed; after that it is due again. */
const RACE_ATTEMPTS_MAX = 20;
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
 * @param only - Leaves out the leases for which it is false.
 */
export async function endLeasesOf(
  services: Services,
  entry: MountEntry,
  only: (record: LeaseRecord) => boolean = () => true,
): Promise<Retirement> {
  if (isAuthMount(entry)) await endTokensOf(services, entry);
  const failed: { record: LeaseRecord; error: string }[] = [];
  for (const prefix of [entry.path, ...entry.formerPaths]) {
    const doomed = { prefix, mountUuid: entry.uuid };
    failed.push(...(await endLeasesUnder(services, doomed, only)).failed);
  }
  return { failed };
}

/**
 * Due work: takes the clearing of a retired mount up again. Leases whose revocation has begun are in somebody's hands, or wait
 * for their next try, and are due by themselves: to take them as well would do the same work twice.
 */
export async function settleRetired(services: Services, uuid: string): Promise<void> {
  const entry = await services.mounts.byUuid(uuid);
  if (entry === null) return removeData(services, uuid);
  await services.barrier.commit([dueEntry(uuid, services.clock.now() + AGAIN_MS)]);
  await clear(services, entry, ({ state }) => state !== "revoking");
}

function dueEntry(uuid: string, dueAt: number) {
  return { op: "put", key: RETIRED_PREFIX + uuid, value: new Uint8Array(), dueAt } as const;
}

/** Takes the mount out of the table when its last lease is gone: should one be put back in between, the table has changed. */
async function clear(
  services: Services,
  entry: MountEntry,
  only?: (record: LeaseRecord) => boolean,
): Promise<Retirement> {
  const retirement = await endLeasesOf(services, entry, only);
  const { table } = services.mounts;
  for (let attempt = 1; attempt <= RACE_ATTEMPTS_MAX; attempt += 1) {
    const version = await table.version();
    if (await hasLeases(services, entry)) break;
    if (!(await isClear(services, entry))) break;
    if (!(await table.removeAt(version, entry.uuid))) continue;
    await removeData(services, entry.uuid);
    break;
  }
  return retirement;
}

/** Whether nothing is left of what the engine has made outside under records of its own. */
async function isClear({ mounts, log }: Services, entry: MountEntry): Promise<boolean> {
  try {
    const { backend } = await mounts.load(entry);
    return (await backend.isClear?.()) ?? true;
  } catch (error) {
    log.warn("a disabled mount cannot be cleared yet; it is retried", {
      mount: entry.path,
      error: messageOf(error),
    });
    return false;
  }
}

async function hasLeases(services: Services, entry: MountEntry): Promise<boolean> {
  for (const prefix of [entry.path, ...entry.formerPaths]) {
    for await (const page of leasesUnder(services, prefix)) {
      if (page.some((lease) => lease.record.mountUuid === entry.uuid)) return true;
    }
  }
  return false;
}

/** Killed in the middle it is due again, and goes on: what makes it due goes with the last of the data. */
async function removeData({ barrier, mounts }: Services, uuid: string): Promise<void> {
  await mounts.unload(uuid);
  for (let isLast = false; !isLast; ) {
    const page = await barrier.scan(mountPrefix(uuid), { limit: PAGE });
    isLast = page.next === null;
    const keys = [...page.entries.map(({ key }) => key), ...(isLast ? [RETIRED_PREFIX + uuid] : [])];
    await barrier.commit(keys.map((key) => ({ op: "delete", key })));
  }
}
