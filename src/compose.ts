import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { AUTH_METHODS } from "./auth/index.ts";
import { type SealDependencies, sealEnvironment } from "./barrier/seals/dependencies.ts";
import { chooseSeal, loadPassphraseSeal, loadSeal } from "./barrier/seals/index.ts";
import { SEAL_TYPES, type SealConfig, WHOLE_KEY_SEALS, type WholeKeySeal } from "./barrier/seals/port.ts";
import type { Clock } from "./base/clock.ts";
import { badRequest } from "./base/errors.ts";
import { type Log, silentLog } from "./base/log.ts";
import { Secret } from "./base/secret.ts";
import { Instance, type InstanceDeps, type SealSet } from "./core/instance.ts";
import { ENGINES } from "./engines/index.ts";
import { systemClock } from "./platform/clock.ts";
import { type Directories, directoriesFor } from "./platform/directories.ts";
import { systemFiles } from "./platform/files.ts";
import { systemKeychain } from "./platform/keychain.ts";
import { systemProcesses } from "./platform/processes.ts";
import { systemRandom } from "./platform/random.ts";
import { openSqliteStorage } from "./storage/sqlite/sqlite-storage.ts";

export type { Instance } from "./core/instance.ts";

export interface ComposeOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The store's directory; undefined: VSEC_STORE, else the user's data directory. */
  readonly storeDir?: string;
  readonly log?: Log;
  /** True: this process ends with its request, and was started by whoever sends it. @see InstanceDeps.isOneShot */
  readonly isOneShot?: boolean;
}

const STORE_FILE = "store.db";
const DEV_KEY_BYTES = 32;

/** Where the store of these options is, or would be: absolute. */
export function storeDirectoryOf({ env, storeDir }: Pick<ComposeOptions, "env" | "storeDir">): string {
  return resolve(storeDir || env.VSEC_STORE || directoriesOf(env).data);
}

function directoriesOf(env: ComposeOptions["env"]): Directories {
  return directoriesFor({ env, platform: process.platform, home: env.HOME || homedir() });
}

/** The composition root: picks the adapters of this machine and builds an instance over them. Opens nothing yet. */
export function composeInstance(options: ComposeOptions): Instance {
  const { env, isOneShot = false } = options;
  const file = join(storeDirectoryOf(options), STORE_FILE);
  return composeOver(options, {
    // A command that merged the log each time would spend most of its time on that.
    openStorage: () => openSqliteStorage({ file, keepsLog: isOneShot, groupsCommits: !isOneShot }),
    createStorage: () => openSqliteStorage({ file, create: true }),
    storageType: "sqlite",
    seals: composeSeals(env, env),
  });
}

/** An instance over a store in memory, for `-dev`: its key is in this process and nowhere else, and goes with it. */
export async function composeDevInstance(options: Pick<ComposeOptions, "env" | "log">): Promise<Instance> {
  const { openMemoryStorage } = await import("./storage/memory/memory-storage.ts");
  const key = Buffer.from(systemRandom.bytes(DEV_KEY_BYTES)).toString("base64");
  const seals = composeSeals(options.env, { VSEC_SEAL_KEY: key });
  const storage = openMemoryStorage();
  return composeOver(options, {
    openStorage: () => storage,
    createStorage: () => storage,
    storageType: "inmem",
    seals: { ...seals, choose: () => seals.choose("env") },
  });
}

type StoreParts = Pick<InstanceDeps, "openStorage" | "createStorage" | "storageType" | "seals">;

function composeOver(
  { env, log = silentLog, isOneShot = false }: ComposeOptions,
  store: StoreParts,
): Instance {
  return new Instance({
    ...store,
    engines: ENGINES,
    authMethods: AUTH_METHODS,
    clock: composeClock(env),
    random: systemRandom,
    processes: systemProcesses(),
    log,
    isOneShot,
    // A command's standard output is its answer's.
    ...(isOneShot ? { console: printAside } : {}),
  });
}

function printAside(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stderr.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

declare const VSEC_FAILPOINTS: boolean;

/** The system's clock; in the test build `VSEC_CLOCK_OFFSET_MS` moves it, so that a test need not wait for a deadline. */
function composeClock(env: ComposeOptions["env"]): Clock {
  if (typeof VSEC_FAILPOINTS === "undefined" || !VSEC_FAILPOINTS) return systemClock;
  const offsetMs = Number(env.VSEC_CLOCK_OFFSET_MS ?? 0);
  return { ...systemClock, now: () => systemClock.now() + offsetMs };
}

/** @param sealEnv - Where the seals find their variables. */
function composeSeals(env: ComposeOptions["env"], sealEnv: ComposeOptions["env"]): SealSet {
  const dependencies: SealDependencies = {
    env: sealEnvironment(sealEnv),
    keychain: systemKeychain({ env }),
    files: systemFiles,
    directories: directoriesOf(env),
    random: systemRandom,
  };
  return {
    async choose(type) {
      return loadSeal(type === null ? await chooseSeal(dependencies) : sealTypeOf(type), dependencies);
    },
    of: (type) => loadSeal(type, dependencies),
    async unlock(config, key) {
      requirePassphrase(config);
      return (await loadPassphraseSeal(dependencies)).unlock(config, new Secret(key));
    },
    async prove(config, key) {
      if (config.type === "shamir") throw new TypeError("a key that is split is not proven whole");
      return (await loadSeal(config.type, dependencies)).prove(config, new Secret(key));
    },
    async lock(config) {
      requirePassphrase(config);
      await (await loadPassphraseSeal(dependencies)).lock(config);
    },
    describe: describeSeal,
  };
}

function sealTypeOf(text: string): WholeKeySeal {
  const type = WHOLE_KEY_SEALS.find((candidate) => candidate === text);
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
    case "shamir":
      return `the root key is encrypted under a key in ${String(params.shares)} shares, of which ${String(params.threshold)} open it, in a daemon`;
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
