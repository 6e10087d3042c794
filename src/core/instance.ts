import { initBarrier, openBarrier } from "../barrier/open.ts";
import type { Storage } from "../barrier/port.ts";
import { newRootKey } from "../barrier/root-key.ts";
import { readSealConfig } from "../barrier/seal-config.ts";
import type { Seal, SealConfig } from "../barrier/seals/port.ts";
import type { Clock } from "../base/clock.ts";
import { badRequest, hasCode, VsecError } from "../base/errors.ts";
import { failpoint } from "../base/failpoint.ts";
import type { Log } from "../base/log.ts";
import { type Random, randomUuid } from "../base/random.ts";
import type { ApiRequest, ApiResponse } from "../contract/wire.ts";
import type { AuthType } from "../framework/auth.ts";
import type { EngineType, PathSpec } from "../framework/backend.ts";
import { dispatch } from "../framework/dispatch.ts";
import { Core } from "./core.ts";
import { respond, respondError } from "./envelope.ts";
import { emptyMountTable } from "./mounts/table.ts";
import { readRequest } from "./request-path.ts";
import type { InitResult, SealControl, SealState } from "./system/seal-control.ts";
import { sealPaths } from "./system/seal-paths.ts";
import { newRootToken } from "./tokens/store.ts";

/** The seals of this machine. */
export interface SealSet {
  /** The seal of that type, or, for null, the best this machine has. @throws ApiError 400 for an unknown type. */
  choose(type: string | null): Promise<Seal>;
  of(config: SealConfig): Promise<Seal>;
  /** Turns what a person gave into the root key. @throws ApiError 400, SEAL_WRONG_KEY. */
  unlock(config: SealConfig, key: string): Promise<Uint8Array>;
  /** Forgets what an unlock left on this machine. @throws ApiError 400 for seals that need no person. */
  lock(config: SealConfig): Promise<void>;
  /** How the root key is kept, for people. */
  describe(config: SealConfig): string;
}

export interface InstanceDeps {
  /** @throws STORE_MISSING when there is none yet. */
  openStorage(): Storage;
  /** Opens the store, making it when there is none. */
  createStorage(): Storage;
  readonly storageType: string;
  readonly seals: SealSet;
  readonly engines: readonly EngineType[];
  readonly authMethods: readonly AuthType[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Paths that answer whatever the seal's state. */
const ALWAYS = ["sys/init", "sys/seal-status", "sys/unseal", "sys/health", "sys/leader"];

/** One store, from before its init to its use: sealed, unsealed, served. */
export class Instance implements SealControl {
  readonly clock: Clock;
  readonly #deps: InstanceDeps;
  readonly #sealPaths: readonly PathSpec[];
  #storage: Storage | undefined;
  #core: Core | undefined;

  constructor(deps: InstanceDeps) {
    this.#deps = deps;
    this.clock = deps.clock;
    this.#sealPaths = sealPaths(this, () => deps.clock.now());
  }

  /** Carries out one request. @throws VsecError when there is no store, or one that cannot be opened. */
  async handle(wire: ApiRequest): Promise<ApiResponse> {
    if (ALWAYS.includes(wire.path.replace(/^\/+|\/+$/g, "")) && wire.method !== "HELP") {
      return this.#handleAlways(wire);
    }
    let core: Core | null;
    try {
      core = await this.core();
    } catch (error) {
      if (!hasCode(error, "SEAL_UNAVAILABLE")) throw error;
      return { status: 503, body: { errors: [`Vault is sealed: ${error.message}`] } };
    }
    if (core === null) return { status: 503, body: { errors: ["Vault is sealed"] } };
    return core.handle(wire);
  }

  async #handleAlways(wire: ApiRequest): Promise<ApiResponse> {
    const requestId = randomUuid(this.#deps.random);
    try {
      const { operation, path, data } = readRequest(wire);
      if (operation === "help") throw badRequest("help needs an unsealed store");
      const below = path.replace(/^sys\//, "");
      const reply = await dispatch(
        { paths: this.#sealPaths },
        { operation, path: below, data, displayName: "" },
      );
      return respond(operation, path, { requestId, mountType: "system", reply, lease: null });
    } catch (error) {
      // Without a store, or with one that cannot be read, there is nothing that could answer.
      if (error instanceof VsecError && error.code.startsWith("STORE_")) throw error;
      return respondError(error, requestId, this.#deps.log);
    }
  }

  /** The unsealed core; unseals when the seal needs no person. Null: sealed. */
  async core(): Promise<Core | null> {
    if (this.#core !== undefined) return this.#core;
    const config = await this.#requireConfig();
    const seal = await this.#deps.seals.of(config);
    const rootKey = await seal.open(config);
    return rootKey === null ? null : this.#open(rootKey);
  }

  async #open(rootKey: Uint8Array): Promise<Core> {
    const { clock, random } = this.#deps;
    const barrier = await openBarrier({ storage: this.#store(), rootKey, clock, random });
    rootKey.fill(0);
    const { log, engines, authMethods } = this.#deps;
    this.#core = new Core({ barrier, clock, random, log, engines, authMethods, sealPaths: this.#sealPaths });
    return this.#core;
  }

  #store(): Storage {
    this.#storage ??= this.#deps.openStorage();
    return this.#storage;
  }

  /** Null: not initialised. */
  async #config(): Promise<SealConfig | null> {
    try {
      return await readSealConfig(this.#store());
    } catch (error) {
      if (hasCode(error, "STORE_MISSING")) return null;
      throw error;
    }
  }

  async #requireConfig(): Promise<SealConfig> {
    const config = await readSealConfig(this.#store());
    if (config !== null) return config;
    throw new VsecError("STORE_MISSING", "the store is not initialised; run `vsec operator init`");
  }

  async state(): Promise<SealState> {
    const { storageType } = this.#deps;
    const config = await this.#config();
    if (config === null) return { initialized: false, sealed: true, sealType: "", storageType, storeId: "" };
    const sealed = !(await this.#opens());
    return { initialized: true, sealed, sealType: config.type, storageType, storeId: config.storeId };
  }

  /** False: the key is not to be had. */
  async #opens(): Promise<boolean> {
    try {
      return (await this.core()) !== null;
    } catch (error) {
      if (hasCode(error, "SEAL_UNAVAILABLE")) return false;
      throw error;
    }
  }

  async init(sealType: string | null): Promise<InitResult> {
    const { seals, random, clock } = this.#deps;
    if ((await this.#config()) !== null) throw badRequest("Vault is already initialized");
    const seal = await seals.choose(sealType);
    const rootKey = newRootKey(random);
    const config = await protect(seal, rootKey, randomUuid(random));
    failpoint("init:protected");
    this.#storage ??= this.#deps.createStorage();
    let rootToken = "";
    try {
      await initBarrier({
        storage: this.#storage,
        rootKey,
        clock,
        random,
        seal: config,
        writes: (barrier) => {
          const token = newRootToken(barrier, random, clock.now());
          rootToken = token.id;
          return [emptyMountTable(), ...token.writes];
        },
      });
    } catch (error) {
      await seal.forget(config);
      if (hasCode(error, "STORE_CONFLICT")) throw badRequest("Vault is already initialized");
      throw error;
    } finally {
      rootKey.fill(0);
    }
    return { rootToken, seal: { type: config.type, detail: seals.describe(config) } };
  }

  async unseal(key: string): Promise<void> {
    if (await this.#opens()) return;
    const config = await this.#requireConfig();
    await this.#open(await unlock(this.#deps.seals, config, key));
  }

  async seal(): Promise<void> {
    await this.#deps.seals.lock(await this.#requireConfig());
    await this.#core?.close();
    this.#core = undefined;
  }

  /** Ends connections and closes the store. */
  async close(): Promise<void> {
    await this.#core?.close();
    this.#core = undefined;
    await this.#storage?.close();
    this.#storage = undefined;
  }
}

/** @throws ApiError 400 when this machine or environment cannot hold the key: the caller can choose another seal. */
async function protect(seal: Seal, rootKey: Uint8Array, storeId: string): Promise<SealConfig> {
  try {
    return await seal.protect(rootKey, storeId);
  } catch (error) {
    if (hasCode(error, "SEAL_UNAVAILABLE")) throw badRequest(error.message, error);
    throw error;
  }
}

/** @throws ApiError 400 `invalid key: …`. */
async function unlock(seals: SealSet, config: SealConfig, key: string): Promise<Uint8Array> {
  try {
    return await seals.unlock(config, key);
  } catch (error) {
    if (hasCode(error, "SEAL_WRONG_KEY")) throw badRequest(`invalid key: ${error.message}`, error);
    throw error;
  }
}
