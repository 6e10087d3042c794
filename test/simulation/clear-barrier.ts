import { createHash } from "node:crypto";
import type { Barrier } from "../../src/barrier/port.ts";
import type { Storage } from "../../src/storage/port.ts";

/**
 * A barrier that encrypts nothing. Most schedules run over it, because the cipher takes most of a schedule's time and has
 * no part in what goes wrong between processes; every {@link SEALED_EVERY}th runs over the real one.
 */
export function clearBarrier(storage: Storage): Barrier {
  return {
    get: (key) => storage.get(key),
    list: (prefix, page) => storage.list(prefix, page),
    scan: (prefix, page) => storage.scan(prefix, page),
    walk: (prefix, page) => storage.walk(prefix, page),
    find: (tag, page) => storage.find(shortened(tag), page),
    commit: (writes) =>
      storage.commit(
        writes.map((write) =>
          write.op === "put" && write.tags !== undefined
            ? { ...write, tags: write.tags.map(shortened) }
            : write,
        ),
      ),
    sweep: (swaths, version) => storage.sweep(swaths, version),
    writes: () => storage.writes(),
    claim: (request) => storage.claim(request),
    release: (keys, owner) => storage.release(keys, owner),
    nextDue: () => storage.nextDue(),
    hash: (purpose, value) => createHash("sha256").update(`${purpose}/${value}`).digest("hex"),
    seal: (_purpose, bytes) => bytes,
    open: async (_purpose, sealed) => sealed,
    keyStatus: async () => ({ term: 1, installedAt: 0, encryptions: await storage.writes() }),
    rotate: async () => undefined,
  };
}

/** A store takes tags of the length that they have when they are hashed. */
function shortened(tag: string): string {
  return createHash("sha256").update(tag).digest("base64url").slice(0, 22);
}

export const SEALED_EVERY = 8;
