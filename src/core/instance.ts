import { openBarrier } from "../barrier/open.ts";
import type { Storage } from "../barrier/port.ts";
import { readSealConfig } from "../barrier/seal-config.ts";
import type { Seal, SealConfig, WholeKeySeal } from "../barrier/seals/port.ts";
import { type Split, splitOf } from "../barrier/seals/split.ts";
import type { Clock } from "../base/clock.ts";
import { badRequest, hasCode, VsecError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { noProcesses, type Processes } from "../base/processes.ts";
import { type Random, randomUuid } from "../base/random.ts";
import type { ApiRequest, ApiResponse } from "../contract/wire.ts";
import type { AuthType } from "../framework/auth.ts";
import type { EngineType, PathSpec } from "../framework/backend.ts";
import { dispatch } from "../framework/dispatch.ts";
import type { Console } from "./audit/devices/port.ts";
import { Core } from "./core.ts";
import { respond, respondError } from "./envelope.ts";
import { readRequest } from "./request-path.ts";
import { Ceremonies } from "./seal/ceremonies.ts";
import type { GenerateRoot } from "./seal/generate-root.ts";
import type { Rekey } from "./seal/rekey.ts";
import { Serving } from "./seal/serving.ts";
import { Turns } from "./seal/turns.ts";
import { UnsealProgress } from "./seal/unseal-progress.ts";
import { controlPaths } from "./system/control-paths.ts";
import type { InitResult, SealControl, SealState } from "./system/seal-control.ts";

/** The seals of this machine. */
export interface SealSet {
  /** The seal of that type, or, for null, the best this machine has. @throws ApiError 400 for an unknown type. */
  choose(type: string | null): Promise<Seal>;
  of(type: WholeKeySeal): Promise<Seal>;
  /** Turns what a person gave into the root key, and keeps it where the seal does. @throws ApiError 400, SEAL_WRONG_KEY. */
  unlock(config: SealConfig, key: string): Promise<Uint8Array>;
  /** The root key, from what somebody gave who claims to hold the store's one key. @throws SEAL_WRONG_KEY, USAGE. */
  prove(config: SealConfig, key: string): Promise<Uint8Array>;
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
  /** Where audit devices of type stdout write; this process's standard output unless given. */
  readonly console?: Console;
  readonly clock: Clock;
  readonly random: Random;
  /** Whose end ends leases that are for a process. */
  readonly processes?: Processes;
  readonly log: Log;
  /**
   * True: the process ends with its request, and was started by whoever sends it. Nothing is collected over several
   * requests then, and a store that opened by itself did so with the sender's own key.
   */
  readonly isOneShot?: boolean;
}

/** Paths that answer whatever the seal's state. */
const ALWAYS = ["sys/init", "sys/seal-status", "sys/unseal", "sys/health", "sys/leader"];

const NEEDS_DAEMON =
  "its key is split, and what the shares open is kept by a daemon: start `vsec daemon`, then give them with `vsec operator unseal`";

/** One store, from before its init to its use: sealed, unsealed, served. */
export class Instance implements SealControl {
  readonly clock: Clock;
  readonly #deps: InstanceDeps;
  readonly #sealPaths: readonly PathSpec[];
  /** Init, unseal and seal do not overlap. */
  readonly #turns = new Turns();
  readonly #progress: UnsealProgress;
  readonly #ceremonies: Ceremonies;
  #storage: Storage | undefined;
  #serving: Serving | undefined;
  #opening: Promise<Core | null> | undefined;

  constructor(deps: InstanceDeps) {
    this.#deps = deps;
    this.clock = deps.clock;
    this.#progress = new UnsealProgress(deps.random);
    const { random, clock, log, seals, isOneShot = false } = deps;
    this.#ceremonies = new Ceremonies({
      random,
      clock,
      log,
      seals,
      isOneShot,
      storage: () => this.#store(),
      config: () => this.#requireConfig(),
      core: () => this.core(),
    });
    this.#sealPaths = controlPaths(this, () => deps.clock.now());
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
    if (core === null) return this.#refuseSealed();
    // The one that core() answered with, unless the store was sealed since.
    return this.#serving === undefined ? this.#refuseSealed() : this.#serving.handle(wire);
  }

  async #refuseSealed(): Promise<ApiResponse> {
    const needsDaemon = this.#deps.isOneShot === true && (await this.#config())?.type === "shamir";
    const text = needsDaemon ? `Vault is sealed: ${NEEDS_DAEMON}` : "Vault is sealed";
    return { status: 503, body: { errors: [text] } };
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
    if (this.#serving !== undefined) return this.#serving.core;
    // Requests that come at the same time share one opening, and one core.
    this.#opening ??= this.#openByItself().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openByItself(): Promise<Core | null> {
    const config = await this.#requireConfig();
    if (config.type === "shamir") return null;
    const seal = await this.#deps.seals.of(config.type);
    const rootKey = await seal.open(config);
    return rootKey === null ? null : this.#open(rootKey);
  }

  async #open(rootKey: Uint8Array): Promise<Core> {
    const { clock, random } = this.#deps;
    const barrier = await openBarrier({ storage: this.#store(), rootKey, clock, random });
    rootKey.fill(0);
    const { log, engines, authMethods, console, processes = noProcesses } = this.#deps;
    const core = new Core({
      barrier,
      clock,
      random,
      log,
      engines,
      processes,
      authMethods,
      console,
      sealPaths: this.#sealPaths,
    });
    this.#serving = new Serving(core);
    return core;
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
    const none = { shares: 0, threshold: 0, progress: 0, nonce: "" };
    if (config === null) {
      return { initialized: false, sealed: true, sealType: "", storageType, storeId: "", ...none };
    }
    const sealed = !(await this.#opens());
    const { count: progress, nonce } = this.#progress;
    const keys = { ...splitFor(config), progress, nonce };
    const { type: sealType, storeId } = config;
    return { initialized: true, sealed, sealType, storageType, storeId, ...keys };
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

  init(seal: string | Split | null): Promise<InitResult> {
    return this.#turns.take(async () => {
      if ((await this.#config()) !== null) throw badRequest("Vault is already initialized");
      const { makeStore } = await import("./seal/new-store.ts");
      const { seals, random, clock } = this.#deps;
      const createStorage = (): Storage => {
        this.#storage ??= this.#deps.createStorage();
        return this.#storage;
      };
      const chooseSeal = (type: string | null) => seals.choose(type);
      const made = await makeStore({ random, clock, chooseSeal, createStorage }, seal);
      const { config, keys, rootToken } = made;
      return { rootToken, keys, seal: { type: config.type, detail: seals.describe(config) } };
    });
  }

  unseal(key: string): Promise<void> {
    return this.#turns.take(async () => {
      const config = await this.#config();
      if (config === null) throw badRequest("Vault is not initialized");
      if (await this.#opens()) return;
      if (config.type !== "shamir") {
        const rootKey = await unlock(this.#deps.seals, config, key);
        await this.#requireKept(config);
        await this.#open(rootKey);
        return;
      }
      if (this.#deps.isOneShot === true) throw badRequest(`this key opens nothing here: ${NEEDS_DAEMON}`);
      const rootKey = await this.#progress.give(config, key);
      if (rootKey !== null) await this.#open(rootKey);
    });
  }

  /** What a one-shot process unseals has to outlive it. @throws ApiError 400 when the next one would find it sealed again. */
  async #requireKept(config: SealConfig): Promise<void> {
    if (this.#deps.isOneShot !== true || config.type === "shamir") return;
    const seal = await this.#deps.seals.of(config.type);
    if ((await seal.open(config)) !== null) return;
    throw badRequest(
      "the key is right, but there is nowhere to keep what it opens: no keychain answers, and no runtime directory is in " +
        "memory; set VSEC_PASSPHRASE_FILE, or start `vsec daemon` and give it the key",
    );
  }

  resetUnseal(): Promise<void> {
    return this.#turns.take(async () => {
      if ((await this.#config()) === null) throw badRequest("Vault is not initialized");
      if (await this.#opens()) throw badRequest("vault is unsealed");
      this.#progress.reset();
    });
  }

  seal(): Promise<void> {
    return this.#turns.take(async () => {
      const config = await this.#requireConfig();
      if (config.type !== "shamir") await this.#deps.seals.lock(config);
      this.#progress.reset();
      this.#ceremonies.cancel();
      const serving = this.#serving;
      this.#serving = undefined;
      await serving?.retire();
    });
  }

  rekey(): Promise<Rekey> {
    return this.#ceremonies.rekey();
  }

  generateRoot(): Promise<GenerateRoot> {
    return this.#ceremonies.generateRoot();
  }

  /** Ends connections and closes the store. */
  async close(): Promise<void> {
    this.#progress.reset();
    this.#ceremonies.cancel();
    await this.#serving?.close();
    this.#serving = undefined;
    await this.#storage?.close();
    this.#storage = undefined;
  }
}

/** Other seals have one key, which is whole. */
function splitFor(config: SealConfig): Split {
  return config.type === "shamir" ? splitOf(config) : { shares: 1, threshold: 1 };
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
