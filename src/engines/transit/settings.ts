import { badRequest } from "../../base/errors.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import type { TransitMount } from "./mount.ts";
import { CACHE_ENTRY, readCacheSize } from "./versions.ts";

const KEYS_ENTRY = "config/keys";
const CACHE_SIZE_MIN = 10;

/** Whether encrypting with a key that is not there is refused, instead of making it. */
export async function isUpsertDisabled(storage: EngineStorage): Promise<boolean> {
  return (await storage.get(KEYS_ENTRY))?.value.disableUpsert === true;
}

/** `config/keys` and `cache-config`. @see reference: transit, key paths. */
export function settingsPaths(mount: TransitMount): PathSpec[] {
  return [keysSettingsPath(mount), cachePath(mount)];
}

function keysSettingsPath({ context: { storage } }: TransitMount): PathSpec {
  const show = async () => ({ data: { disable_upsert: await isUpsertDisabled(storage) } });
  return path({
    pattern: "config/keys",
    fields: {
      disable_upsert: field.bool({
        description: "Encrypting with a key that is not there does not make it.",
      }),
    },
    help: { synopsis: "Show or change the settings that hold for all keys." },
    operations: {
      read: { summary: "Show the settings.", handler: show },
      update: {
        summary: "Change the settings.",
        handler: async ({ given }) => {
          const { disable_upsert: disableUpsert } = given;
          if (disableUpsert !== undefined) {
            await storage.commit([{ op: "put", key: KEYS_ENTRY, value: { disableUpsert } }]);
          }
          return show();
        },
      },
    },
  });
}

function cachePath({ context: { storage }, versions }: TransitMount): PathSpec {
  return path({
    pattern: "cache-config",
    fields: {
      size: field.int({
        description: "How many versions of keys a process remembers; 0 for all, else at least 10.",
      }),
    },
    help: {
      synopsis: "Show or change how many versions of keys a process remembers.",
      description:
        "It takes effect here at once, and in other processes when they use the mount for the first time.",
    },
    operations: {
      read: {
        summary: "Show the size.",
        handler: async () => ({ data: { size: await readCacheSize(storage) } }),
      },
      update: {
        summary: "Change the size.",
        handler: async ({ values: { size } }) => {
          if (size !== 0 && size < CACHE_SIZE_MIN) {
            throw badRequest(`size must be 0 or a value greater or equal to ${CACHE_SIZE_MIN}`);
          }
          await storage.commit([{ op: "put", key: CACHE_ENTRY, value: { size } }]);
          versions.resize(size);
          return { data: { size } };
        },
      },
    },
  });
}
