import { initBarrier, openBarrier } from "../../src/barrier/open.ts";
import type { Barrier } from "../../src/barrier/port.ts";
import type { JsonObject } from "../../src/base/json.ts";
import { silentLog } from "../../src/base/log.ts";
import type { ApiRequest, ApiResponse } from "../../src/contract/wire.ts";
import { Core } from "../../src/core/core.ts";
import { emptyMountTable } from "../../src/core/mounts/table.ts";
import { newRootToken } from "../../src/core/tokens/store.ts";
import { databaseEngine } from "../../src/engines/database/backend.ts";
import type { PluginFinder } from "../../src/engines/database/plugin.ts";
import type { Backend, MountContext } from "../../src/framework/backend.ts";
import { openMemoryStorage } from "../../src/storage/memory/memory-storage.ts";
import type { Storage, Write } from "../../src/storage/port.ts";
import type { Chance } from "./chance.ts";
import { clearBarrier } from "./clear-barrier.ts";
import type { Faults } from "./faults.ts";
import { type Owner, Scheduler } from "./scheduler.ts";
import { type DatabaseDefects, type DeletionWatch, SimDatabase } from "./sim-database.ts";
import { type Disk, simStorage } from "./sim-storage.ts";

/** Ways to break the system, so that the simulation can be seen to notice. */
export interface Defects {
  readonly storage?: (storage: Storage) => Storage;
  readonly barrier?: (barrier: Barrier) => Barrier;
  readonly engine?: (findPlugin: PluginFinder) => (context: MountContext) => Backend;
  readonly database?: DatabaseDefects;
  /** So large a part of what people do are preflights, from 0 to 1, for what is too rare to be met otherwise. */
  readonly preflights?: number;
}

/** A simulated process with the core in it. */
export interface Process extends Owner {
  readonly kind: "command" | "daemon";
  readonly core: Core;
}

export interface WorldDeps {
  readonly chance: Chance;
  readonly faults: Faults;
  readonly watch: DeletionWatch;
  readonly defects: Defects;
  /** Over the real barrier. */
  readonly isSealed: boolean;
}

/** One store, one database, and the processes that share them. */
export class World {
  readonly scheduler: Scheduler;
  readonly database: SimDatabase;
  readonly disk: Disk;
  /** Reads the store behind everybody's back. */
  readonly observer: Barrier;
  readonly #deps: WorldDeps;
  readonly #rootKey: Uint8Array;
  readonly #token: string;
  #names = 0;

  private constructor(
    deps: WorldDeps,
    scheduler: Scheduler,
    parts: { disk: Disk; observer: Barrier; rootKey: Uint8Array; token: string },
  ) {
    this.#deps = deps;
    this.scheduler = scheduler;
    this.disk = parts.disk;
    this.observer = parts.observer;
    this.#rootKey = parts.rootKey;
    this.#token = parts.token;
    const { chance, faults, watch, defects } = deps;
    this.database = new SimDatabase({
      scheduler,
      chance: chance.fork(),
      faults,
      watch,
      defects: defects.database ?? {},
    });
  }

  static async create(deps: WorldDeps): Promise<World> {
    const random = deps.chance.fork();
    const scheduler = new Scheduler(deps.chance.fork());
    const storage = openMemoryStorage();
    const rootKey = random.bytes(32);
    const clock = { now: () => scheduler.wall, sleep: async () => undefined };
    let token = "";
    const writes = (barrier: Pick<Barrier, "hash">): readonly Write[] => {
      const root = newRootToken(barrier, random, clock.now());
      token = root.id;
      return [emptyMountTable(), ...root.writes];
    };
    const clear = clearBarrier(storage);
    const seal = { type: "key-file", storeId: "simulated", params: {} } as const;
    const observer = deps.isSealed
      ? await initBarrier({ storage, rootKey, clock, random, seal, writes })
      : clear;
    if (!deps.isSealed) await clear.commit(writes(clear));
    const disk: Disk = {
      storage: deps.defects.storage?.(storage) ?? storage,
      isFull: false,
      changes: 0,
    };
    return new World(deps, scheduler, { disk, observer, rootKey, token });
  }

  /** A new process on the shared store. */
  async start(kind: Process["kind"]): Promise<Process> {
    const { chance, faults, defects, isSealed } = this.#deps;
    const { scheduler, disk, database } = this;
    this.#names += 1;
    const owner: Owner = { name: `${kind}-${this.#names}`, isAlive: true };
    const random = chance.fork();
    const clock = scheduler.clockOf(owner);
    let isOpen = false;
    const storage = simStorage({ disk, scheduler, chance: chance.fork(), faults, owner });
    // The opening read is no place to switch at: a process that has not begun has nothing to lose.
    const opening = { ...storage, get: (key: string) => (isOpen ? storage : disk.storage).get(key) };
    const barrier = isSealed
      ? await openBarrier({ storage: opening, rootKey: this.#rootKey, clock, random })
      : clearBarrier(storage);
    isOpen = true;
    const engine = (defects.engine ?? databaseEngine)(async () => database.pluginFor(owner));
    const core = new Core({
      barrier: defects.barrier?.(barrier) ?? barrier,
      clock,
      random,
      log: silentLog,
      engines: [{ type: "database", description: "simulated", load: async () => engine }],
      sealPaths: [],
    });
    return Object.assign(owner, { kind, core });
  }

  /** A request with the root token, outside of the simulated schedule. */
  request(process: Process, wire: Omit<ApiRequest, "token">): Promise<ApiResponse> {
    return process.core.handle({ ...wire, token: this.#token });
  }

  /** Mounts, connects and defines the roles, calmly. */
  async configure(ttlSeconds: number): Promise<void> {
    const process = await this.start("command");
    const post = (path: string, body: JsonObject) => this.request(process, { method: "POST", path, body });
    await post("sys/mounts/database", { type: "database" });
    await post("database/config/db", CONFIG);
    await post("database/roles/read", { ...ROLE, default_ttl: ttlSeconds, max_ttl: ttlSeconds * 4 });
    await post("database/roles/readonly", { ...ROLE, default_ttl: ttlSeconds * 2 });
    await post("database/roles/capped", { ...ROLE, default_ttl: ttlSeconds, max_live: LIVE_MAX });
    await post("database/static-roles/svc", { ...STATIC_ROLE, username: "svc" });
    await process.core.close();
  }
}

export const CONFIG: JsonObject = {
  plugin_name: "simulated",
  connection_url: "sim://{{username}}:{{password}}@server",
  username: "admin",
  password: "initial",
  allowed_roles: "*",
  // The preflights of a schedule are those of its own writes.
  verify_connection: false,
};
/** How many leases of the role `capped` may live at once. */
export const LIVE_MAX = 1;
export const STATIC_ROLE: JsonObject = { db_name: "db", rotation_period: 150 };
export const ROLE: JsonObject = { db_name: "db", creation_statements: "CREATE ROLE" };
