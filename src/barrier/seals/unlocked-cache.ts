import { join } from "node:path";
import { VsecError } from "../../base/errors.ts";
import { Secret } from "../../base/secret.ts";
import type { SealDependencies } from "./dependencies.ts";
import { KEYCHAIN_SERVICE } from "./keychain.ts";
import { decodeBase64, encodeBase64 } from "./params.ts";
import type { SealConfig } from "./port.ts";
import {
  formatRootKeyLine,
  matchesConfig,
  parseRootKeyLine,
  ROOT_KEY_LINE_BYTES_MAX,
} from "./root-key-text.ts";

/** Where an unlocked root key waits for the next command. */
export interface UnlockedCache {
  /** Null: not there, or not this store's. Never throws for a keychain or file that does not work. */
  read(config: SealConfig): Promise<Uint8Array | null>;
  /** False: there is no place for it, and each command has to unlock again. */
  write(config: SealConfig, rootKey: Uint8Array): Promise<boolean>;
  /** False: the keychain could not be asked, and may still hold it. @throws FILE when the file cannot be removed. */
  remove(config: SealConfig): Promise<boolean>;
}

/** The keychain; without one, a file of the runtime directory, if that is kept in memory. */
export function unlockedCache({ keychain, files, directories }: SealDependencies): UnlockedCache {
  const itemOf = (config: SealConfig) => `unlocked:${config.storeId}`;
  const fileOf = (config: SealConfig) =>
    directories.runtime === null ? null : join(directories.runtime, `${config.storeId}.unlocked`);

  const readFile = (config: SealConfig): Uint8Array | undefined => {
    const path = fileOf(config);
    const content = path === null ? null : files.read(path, { bytesMax: ROOT_KEY_LINE_BYTES_MAX });
    return content === null ? undefined : parseRootKeyLine(content)?.rootKey;
  };
  const readItem = async (config: SealConfig): Promise<Uint8Array | undefined> => {
    const item = await keychain.get(KEYCHAIN_SERVICE, itemOf(config));
    return item === null ? undefined : decodeBase64(item.reveal());
  };
  const writeFile = async (config: SealConfig, rootKey: Uint8Array): Promise<boolean> => {
    const path = fileOf(config);
    if (path === null || directories.runtime === null) return false;
    files.makeDirectory(directories.runtime);
    if (!files.isInMemory(directories.runtime)) return false;
    files.write(path, formatRootKeyLine(rootKey, config.storeId), { replace: true });
    return true;
  };

  return {
    async read(config) {
      // The file first: it costs nothing where there is none.
      for (const from of [async () => readFile(config), () => readItem(config)]) {
        const rootKey = await orElse(undefined, from);
        if (rootKey !== undefined && matchesConfig(config, rootKey)) return rootKey;
      }
      return null;
    },

    async write(config, rootKey) {
      const inKeychain = await orElse(false, async () => {
        await keychain.set(KEYCHAIN_SERVICE, itemOf(config), new Secret(encodeBase64(rootKey)));
        return true;
      });
      return inKeychain || (await orElse(false, () => writeFile(config, rootKey)));
    },

    async remove(config) {
      const path = fileOf(config);
      if (path !== null) files.remove(path);
      return await orElse(false, async () => {
        await keychain.delete(KEYCHAIN_SERVICE, itemOf(config));
        return true;
      });
    },
  };
}

/** A cache that does not work is as good as none: what it would have spared is done again. */
async function orElse<T>(fallback: T, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof VsecError) return fallback;
    throw error;
  }
}
