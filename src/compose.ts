import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { AUTH_METHODS } from "./auth/index.ts";
import { type SealDependencies, sealEnvironment } from "./barrier/seals/dependencies.ts";
import { chooseSeal, loadPassphraseSeal, loadSeal } from "./barrier/seals/index.ts";
import { SEAL_TYPES, type SealConfig, type SealType } from "./barrier/seals/port.ts";
import type { Clock } from "./base/clock.ts";
import { badRequest } from "./base/errors.ts";
import { type Log, silentLog } from "./base/log.ts";
import { Secret } from "./base/secret.ts";
import { Instance, type SealSet } from "./core/instance.ts";
import { ENGINES } from "./engines/index.ts";
import { systemClock } from "./platform/clock.ts";
import { directoriesFor } from "./platform/directories.ts";
import { systemFiles } from "./platform/files.ts";
import { systemKeychain } from "./platform/keychain.ts";
import { systemRandom } from "./platform/random.ts";
import { openSqliteStorage } from "./storage/sqlite/sqlite-storage.ts";

export type { Instance } from "./core/instance.ts";

export interface ComposeOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The store's directory; undefined: VSEC_STORE, else the user's data directory. */
  readonly storeDir?: string;
  readonly log?: Log;
}

const STORE_FILE = "store.db";

/** The composition root: picks the adapters of this machine and builds an instance over them. Opens nothing yet. */
export function composeInstance(options: ComposeOptions): Instance {
  const { env, log = silentLog } = options;
  const directories = directoriesFor({ env, platform: process.platform, home: env.HOME || homedir() });
  const file = join(resolve(options.storeDir || env.VSEC_STORE || directories.data), STORE_FILE);
  const seals = composeSeals({
    env: sealEnvironment(env),
    keychain: systemKeychain({ env }),
    files: systemFiles,
    directories,
    random: systemRandom,
  });
  return new Instance({
    openStorage: () => openSqliteStorage({ file }),
    createStorage: () => openSqliteStorage({ file, create: true }),
    storageType: "sqlite",
    seals,
    engines: ENGINES,
    authMethods: AUTH_METHODS,
    clock: composeClock(env),
    random: systemRandom,
    log,
  });
}

declare const VSEC_FAILPOINTS: boolean;

/** The system's clock; in the test build `VSEC_CLOCK_OFFSET_MS` moves it, so that a test need not wait for a deadline. */
function composeClock(env: ComposeOptions["env"]): Clock {
  if (typeof VSEC_FAILPOINTS === "undefined" || !VSEC_FAILPOINTS) return systemClock;
  const offsetMs = Number(env.VSEC_CLOCK_OFFSET_MS ?? 0);
  return { ...systemClock, now: () => systemClock.now() + offsetMs };
}

function composeSeals(dependencies: SealDependencies): SealSet {
  return {
    async choose(type) {
      return loadSeal(type === null ? await chooseSeal(dependencies) : sealTypeOf(type), dependencies);
    },
    of: (config) => loadSeal(config.type, dependencies),
    async unlock(config, key) {
      requirePassphrase(config);
      return (await loadPassphraseSeal(dependencies)).unlock(config, new Secret(key));
    },
    async lock(config) {
      requirePassphrase(config);
      await (await loadPassphraseSeal(dependencies)).lock(config);
    },
    describe: describeSeal,
  };
}

function sealTypeOf(text: string): SealType {
  const type = SEAL_TYPES.find((candidate) => candidate === text);
  if (type === undefined)
    throw badRequest(`unknown seal type "${text}"; known are: ${SEAL_TYPES.join(", ")}`);
  return type;
}

function requirePassphrase({ type }: SealConfig): void {
  if (type === "passphrase") return;
  throw badRequest(
    `a store with a ${type} seal opens by itself for whoever can read its key; only one with a passphrase can be sealed and unsealed`,
  );
}

function describeSeal({ type, storeId, params }: SealConfig): string {
  switch (type) {
    case "keychain":
      return `the OS keychain holds the root key, as vsec/${storeId}`;
    case "key-file":
      return `the root key is in ${String(params.path)} (keep a copy apart from the store)`;
    case "passphrase":
      return "the root key is encrypted under the passphrase (which cannot be recovered)";
    case "env":
      return "the root key is encrypted under VSEC_SEAL_KEY, which every command needs";
  }
}
