import type { EngineStorage } from "../../framework/storage.ts";
import { changeSecret } from "./change-secret.ts";
import { isGone } from "./record.ts";

/**
 * Due work: what has reached its deletion time is marked as deleted, for good. Reads go by the time, so that nobody sees a
 * version a moment too long; the mark keeps it deleted when the clock is set back.
 */
export async function settleDeletions(storage: EngineStorage, path: string, now: number): Promise<void> {
  await changeSecret(storage, path, (present) => {
    if (present === null) return { record: undefined, result: null };
    const versions = Object.entries(present.versions).map(([number, version]) => {
      const isNowGone = version.deletedAt !== null && isGone(version, now);
      return [number, isNowGone ? { ...version, deleted: true } : version] as const;
    });
    return { record: { ...present, versions: Object.fromEntries(versions) }, result: null };
  });
}
