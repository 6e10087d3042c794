import { formatGoDuration } from "../../base/duration.ts";
import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type MountContext, type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { retryOnConflict } from "../../framework/on-conflict.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import { CONFIG_KEY } from "./keys.ts";
import type { SecretRecord } from "./record.ts";

/** The settings of a mount of version 2. */
export interface KvConfig {
  /** 0: ten. */
  readonly maxVersions: number;
  readonly casRequired: boolean;
  /** 0: never. Below 0: never, whatever a secret says. */
  readonly deleteVersionAfterSeconds: number;
}

const DEFAULT: KvConfig = { maxVersions: 0, casRequired: false, deleteVersionAfterSeconds: 0 };
const VERSIONS_KEPT = 10;
/** A secret's record names each of its versions, and is read and written as a whole. */
const MAX_VERSIONS_MAX = 10_000;

export async function readKvConfig(storage: EngineStorage): Promise<KvConfig> {
  const entry = await storage.get(CONFIG_KEY);
  return entry === null ? DEFAULT : (entry.value as unknown as KvConfig);
}

/** How many versions of a secret are kept: the larger of its own and the mount's number. */
export function versionsKept(config: KvConfig, record: SecretRecord): number {
  return Math.max(config.maxVersions, record.maxVersions) || VERSIONS_KEPT;
}

/** After how many seconds a new version is deleted: the smaller of the secret's and the mount's. 0: never. */
export function deletionAfterSeconds(config: KvConfig, record: SecretRecord): number {
  if (config.deleteVersionAfterSeconds < 0) return 0;
  const given = [config.deleteVersionAfterSeconds, record.deleteVersionAfterSeconds].filter(
    (seconds) => seconds > 0,
  );
  return given.length === 0 ? 0 : Math.min(...given);
}

/** @throws ApiError 400 for a number of versions that cannot be kept. */
export function checkMaxVersions(count: number | undefined): void {
  if (count === undefined || (count >= 0 && count <= MAX_VERSIONS_MAX)) return;
  throw badRequest(`max_versions must be between 0 and ${MAX_VERSIONS_MAX}`);
}

/** `config`. @see reference: key/value, version 2. */
export function configPath({ storage }: MountContext): PathSpec {
  return path({
    pattern: "config",
    fields: {
      max_versions: field.int({
        description: "How many versions of a secret are kept where the secret does not say; 0 for ten.",
      }),
      cas_required: field.bool({ description: "Every write has to name the version that it replaces." }),
      delete_version_after: field.signedDuration({
        description:
          "After how long a version is deleted; 0 for never, negative for never whatever a secret says.",
      }),
    },
    help: { synopsis: "Show or change the settings that hold for all secrets of the mount." },
    operations: {
      read: {
        summary: "Show the settings.",
        handler: async () => ({ data: describe(await readKvConfig(storage)) }),
      },
      update: {
        summary: "Change the given settings.",
        handler: async ({ given }) => {
          checkMaxVersions(given.max_versions);
          const seconds = given.delete_version_after;
          await changeConfig(storage, (old) => ({
            maxVersions: given.max_versions ?? old.maxVersions,
            casRequired: given.cas_required ?? old.casRequired,
            deleteVersionAfterSeconds:
              seconds === undefined ? old.deleteVersionAfterSeconds : Math.max(seconds, -1),
          }));
          return undefined;
        },
      },
    },
  });
}

async function changeConfig(storage: EngineStorage, change: (old: KvConfig) => KvConfig): Promise<void> {
  await retryOnConflict(async () => {
    const entry = await storage.get(CONFIG_KEY);
    const value = change(entry === null ? DEFAULT : (entry.value as unknown as KvConfig));
    const put = { op: "put", key: CONFIG_KEY, value: value as unknown as JsonObject } as const;
    await storage.commit([{ ...put, expect: entry?.version ?? 0 }]);
  });
}

function describe({ maxVersions, casRequired, deleteVersionAfterSeconds }: KvConfig): JsonObject {
  return {
    cas_required: casRequired,
    delete_version_after: formatGoDuration(deleteVersionAfterSeconds),
    max_versions: maxVersions,
  };
}
