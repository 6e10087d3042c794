import { VsecError } from "../../src/base/errors.ts";
import type { Storage } from "../../src/storage/port.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import type { Owner, Scheduler } from "./scheduler.ts";

/** What the processes' stores share: the disk. */
export interface Disk {
  readonly storage: Storage;
  isFull: boolean;
  /** Counts the batches that took effect, so that the invariants are looked at again. */
  changes: number;
}

export interface SimStorageDeps {
  readonly disk: Disk;
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly faults: Faults;
  readonly owner: Owner;
}

/** One process's way to the shared store: every call is a place to switch at, and may fail. */
export function simStorage({ disk, scheduler, chance, faults, owner }: SimStorageDeps): Storage {
  const { storage } = disk;
  const atRead = async (): Promise<void> => {
    if (chance.roll(faults.readPoints)) await scheduler.point(owner);
  };
  const fails = (): boolean => !scheduler.isCalm && chance.roll(faults.storeFails);
  const writing = async <T>(write: () => Promise<T>): Promise<T> => {
    await scheduler.point(owner);
    if (disk.isFull) throw new VsecError("STORE_FULL", "simulated: the disk is full");
    if (fails()) throw new VsecError("STORE_IO", "simulated: the write failed");
    const answer = await write();
    disk.changes += 1;
    await scheduler.point(owner);
    if (fails()) throw new VsecError("STORE_IO", "simulated: the write took effect, its answer is lost");
    return answer;
  };
  return {
    get: async (key) => {
      await atRead();
      return storage.get(key);
    },
    list: async (prefix, page) => {
      await atRead();
      return storage.list(prefix, page);
    },
    scan: async (prefix, page) => {
      await atRead();
      return storage.scan(prefix, page);
    },
    async *walk(prefix, page) {
      for await (const walked of storage.walk(prefix, page)) {
        yield walked;
        await atRead();
      }
    },
    find: async (tag, page) => {
      await atRead();
      return storage.find(tag, page);
    },
    commit: (writes) => writing(() => storage.commit(writes)),
    sweep: (swaths, version) => writing(() => storage.sweep(swaths, version)),
    claim: async (request) => {
      await scheduler.point(owner);
      if (fails()) throw new VsecError("STORE_IO", "simulated: the claim failed");
      return storage.claim(request);
    },
    release: (keys, by) => storage.release(keys, by),
    nextDue: async () => {
      await atRead();
      return storage.nextDue();
    },
    writes: () => storage.writes(),
    close: async () => undefined,
  };
}
