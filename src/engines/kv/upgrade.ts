import { hasCode, VsecError } from "../../base/errors.ts";
import type { EngineStorage, EngineWrite } from "../../framework/storage.ts";
import { recordWrite } from "./change-secret.ts";
import { readKvConfig } from "./config.ts";
import { PLAIN_PREFIX, plainKey, UPGRADE_KEY } from "./keys.ts";
import { newRecord } from "./record.ts";
import { addVersion } from "./write-version.ts";

/** Secrets that are moved in one commit. */
const BATCH = 200;
/** Every lost race means that another process has moved something, or that the mount is written to as version 1 still. */
const RACES_MAX = 10_000;

/**
 * The precondition of every write to a mount of version 1: its upgrade has not begun. What is written after that would be
 * left behind.
 */
export const NOT_UPGRADED: EngineWrite = { op: "check", key: UPGRADE_KEY, expect: 0 };

/**
 * Makes sure that all secrets of version 1 are secrets of version 2, each with one version. Each is moved by one commit, so
 * that a process that is killed loses nothing, and the next one that needs the mount, or the due work, goes on. Several
 * processes may do this at once.
 */
export async function upgrade(storage: EngineStorage, now: () => number): Promise<void> {
  for (let race = 0; race < RACES_MAX; race += 1) {
    try {
      const state = await storage.get(UPGRADE_KEY);
      if (state?.value.done === true) return;
      const version = state?.version ?? (await begin(storage, now()));
      await moveFolder(storage, PLAIN_PREFIX, now);
      await storage.commit([{ op: "put", key: UPGRADE_KEY, value: { done: true }, expect: version }]);
      return;
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT")) throw error;
    }
  }
  throw new VsecError(
    "STORE_CONFLICT",
    "the upgrade to versioned secrets was disturbed too often; try again",
  );
}

/** From here on nothing is written as version 1. The entry is due, so that the daemon goes on when this process dies. */
async function begin(storage: EngineStorage, now: number): Promise<number> {
  const [version = 0] = await storage.commit([
    { op: "put", key: UPGRADE_KEY, value: { done: false }, dueAt: now, expect: 0 },
  ]);
  return version;
}

async function moveFolder(storage: EngineStorage, folder: string, now: () => number): Promise<void> {
  const names = await storage.list(folder);
  const keys = names.filter((name) => !name.endsWith("/")).map((name) => folder + name);
  for (let start = 0; start < keys.length; start += BATCH) {
    const paths = keys.slice(start, start + BATCH).map((key) => key.slice(PLAIN_PREFIX.length));
    await move(storage, paths, now());
  }
  for (const name of names) if (name.endsWith("/")) await moveFolder(storage, folder + name, now);
}

async function move(storage: EngineStorage, paths: readonly string[], now: number): Promise<void> {
  const config = await readKvConfig(storage);
  const writes = await Promise.all(
    paths.map(async (path): Promise<readonly EngineWrite[]> => {
      const entry = await storage.get(plainKey(path));
      if (entry === null) return [];
      const first = { path, data: entry.value, now };
      const { record, also } = addVersion(config, newRecord(now), first);
      return [
        { op: "delete", key: plainKey(path), expect: entry.version },
        recordWrite(path, record, 0),
        ...also,
      ];
    }),
  );
  await storage.commit(writes.flat());
}
