/** An instance over a store of the test's own, with real seals in a directory of their own. */
import { afterEach } from "bun:test";
import { join } from "node:path";
import type { Storage, Write } from "../../src/barrier/port.ts";
import { loadPassphraseSeal, loadSeal } from "../../src/barrier/seals/index.ts";
import type { WholeKeySeal } from "../../src/barrier/seals/port.ts";
import { VsecError } from "../../src/base/errors.ts";
import type { JsonObject } from "../../src/base/json.ts";
import { silentLog } from "../../src/base/log.ts";
import { Secret } from "../../src/base/secret.ts";
import type { ApiResponse, Method } from "../../src/contract/wire.ts";
import { Instance, type InstanceDeps, type SealSet } from "../../src/core/instance.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { openMemoryStorage } from "../../src/storage/memory/memory-storage.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { type SealWorld, sealWorld } from "../barrier/seal-world.ts";
import { temporaryDirectories } from "../platform/temp.ts";

export const STORES = ["memory", "sqlite"] as const;

/** How the next operations of a store fail. */
export type Fault = (operation: "get" | "commit") => "before" | "after" | null;

function faulty(storage: Storage, fault: () => Fault): Storage {
  const around = async <T>(operation: "get" | "commit", work: () => Promise<T>): Promise<T> => {
    const when = fault()(operation);
    const failure = new VsecError("STORE_IO", "the disk failed");
    if (when === "before") throw failure;
    const result = await work();
    if (when === "after") throw failure;
    return result;
  };
  return {
    get: (key) => around("get", () => storage.get(key)),
    list: (prefix, page) => storage.list(prefix, page),
    scan: (prefix, page) => storage.scan(prefix, page),
    walk: (prefix, page) => storage.walk(prefix, page),
    find: (tag, page) => storage.find(tag, page),
    commit: (writes: readonly Write[]) => around("commit", () => storage.commit(writes)),
    sweep: (swaths, version) => storage.sweep(swaths, version),
    claim: (request) => storage.claim(request),
    release: (keys, owner) => storage.release(keys, owner),
    nextDue: () => storage.nextDue(),
    writes: () => storage.writes(),
    // A store in memory has to outlive the instance, as a file does.
    close: async () => undefined,
  };
}

function sealSet(world: SealWorld): SealSet {
  const whole = (type: string): WholeKeySeal => {
    if (type === "shamir") throw new TypeError("shares are no seal of this machine");
    return type as WholeKeySeal;
  };
  return {
    choose: (type) => loadSeal(whole(type ?? "key-file"), world),
    of: (type) => loadSeal(type, world),
    prove: async (config, key) => (await loadSeal(whole(config.type), world)).prove(config, new Secret(key)),
    unlock: async (config, key) => (await loadPassphraseSeal(world)).unlock(config, new Secret(key)),
    lock: async (config) => {
      await (await loadPassphraseSeal(world)).lock(config);
    },
    describe: ({ type }) => type,
  };
}

export class StoreWorld {
  /** Replaced by a test that wants the store to fail. */
  fault: Fault = () => null;
  readonly seals: SealWorld;
  readonly storage: Storage;
  #instance: Instance;

  constructor(kind: (typeof STORES)[number], directory: string, env: Readonly<Record<string, string>> = {}) {
    this.seals = sealWorld(directory).withEnv(env);
    this.storage =
      kind === "memory"
        ? openMemoryStorage()
        : openSqliteStorage({ file: join(directory, "store.db"), create: true });
    this.#instance = this.open();
  }

  /** Another process on the same store. */
  open(more: Partial<InstanceDeps> = {}): Instance {
    const storage = () => faulty(this.storage, () => this.fault);
    return new Instance({
      openStorage: storage,
      createStorage: storage,
      storageType: "test",
      seals: sealSet(this.seals),
      engines: [],
      authMethods: [],
      clock: { now: () => 1_700_000_000_000, sleep: async () => undefined },
      random: systemRandom,
      log: silentLog,
      ...more,
    });
  }

  get instance(): Instance {
    return this.#instance;
  }

  /** The process ends without a word, and another one starts. */
  restart(more: Partial<InstanceDeps> = {}): void {
    this.#instance = this.open(more);
  }

  send(method: Method, path: string, body?: JsonObject, token?: string): Promise<ApiResponse> {
    return this.#instance.handle({
      method,
      path,
      ...(body === undefined ? {} : { body }),
      ...(token === undefined ? {} : { token }),
    });
  }

  /** The body of a success. @throws TypeError with the refusal. */
  async ok(method: Method, path: string, body?: JsonObject, token?: string): Promise<JsonObject> {
    const answer = await this.send(method, path, body, token);
    if (answer.status >= 400) throw new TypeError(`${answer.status}: ${JSON.stringify(answer.body)}`);
    return (answer.body ?? {}) as JsonObject;
  }

  /** The status and the one text of a refusal. */
  async refusal(method: Method, path: string, body?: JsonObject, token?: string): Promise<[number, string]> {
    const { status, body: answer } = await this.send(method, path, body, token);
    return [status, ((answer as { errors?: string[] } | null)?.errors ?? []).join("|")];
  }

  async init(shares: number, threshold: number): Promise<{ keys: string[]; rootToken: string }> {
    const body = { secret_shares: shares, secret_threshold: threshold };
    const made = await this.ok("PUT", "sys/init", body);
    return { keys: made.keys as string[], rootToken: String(made.root_token) };
  }

  /** Gives keys, one after another. @returns The last status. */
  async unseal(keys: readonly string[]): Promise<JsonObject> {
    let status: JsonObject = {};
    for (const key of keys) status = await this.ok("PUT", "sys/unseal", { key });
    return status;
  }

  status(): Promise<JsonObject> {
    return this.ok("GET", "sys/seal-status");
  }

  async close(): Promise<void> {
    await this.#instance.close();
    await this.storage.close();
  }
}

/** Makes worlds that last as long as the test that asks for them. */
export function temporaryWorlds() {
  const newDirectory = temporaryDirectories();
  const worlds: StoreWorld[] = [];
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.close();
  });
  return (
    kind: (typeof STORES)[number] = "memory",
    env: Readonly<Record<string, string>> = {},
  ): StoreWorld => {
    const world = new StoreWorld(kind, newDirectory(), env);
    worlds.push(world);
    return world;
  };
}
