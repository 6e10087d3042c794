import type { Barrier } from "../../barrier/port.ts";
import type { Clock } from "../../base/clock.ts";
import { VsecError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type { AuthType } from "../../framework/auth.ts";
import type { Backend, EngineType, MountContext } from "../../framework/backend.ts";
import type { SecretType } from "../../framework/secret.ts";
import type { Builtins } from "../builtins.ts";
import { loginGuard } from "../identity/lockout.ts";
import { leasesOfPrincipal } from "../leases/store.ts";
import { SYSTEM_TTL_SECONDS } from "../ttl.ts";
import { engineStorage, mountPrefix } from "./engine-storage.ts";
import { isAuthMount, type MountEntry, MountTable } from "./table.ts";

/** A mount with its engine loaded. */
export interface Mounted {
  readonly entry: MountEntry;
  readonly backend: Backend;
}

export interface EffectiveTtl {
  readonly defaultSeconds: number;
  readonly maxSeconds: number;
}

/** A mount's TTLs: its own where tuned, else the system's. */
export function effectiveTtl(entry: MountEntry): EffectiveTtl {
  const maxSeconds = entry.config.maxLeaseTtlSeconds || SYSTEM_TTL_SECONDS;
  const defaultSeconds = entry.config.defaultLeaseTtlSeconds || Math.min(SYSTEM_TTL_SECONDS, maxSeconds);
  return { defaultSeconds, maxSeconds };
}

export interface MountsDeps {
  readonly barrier: Barrier;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly engines: readonly EngineType[];
  readonly authMethods?: readonly AuthType[];
  /** Backends that are part of the core: `sys/`, `auth/token/` and the others. */
  readonly builtins: Builtins;
}

/** The running mounts: finds the one for a path, and loads engines on first use. */
export class Mounts {
  readonly table: MountTable;
  readonly #deps: MountsDeps;
  readonly #loaded = new Map<string, { entry: MountEntry; backend: Promise<Backend> }>();

  constructor(deps: MountsDeps) {
    this.#deps = deps;
    this.table = new MountTable(deps.barrier);
  }

  /** The engine types that can be enabled. */
  get engines(): readonly EngineType[] {
    return this.#deps.engines;
  }

  /** The types of auth methods that can be enabled. */
  get authMethods(): readonly AuthType[] {
    return this.#deps.authMethods ?? [];
  }

  get builtins(): Builtins {
    return this.#deps.builtins;
  }

  /** The mount whose path the request's path begins with; the longest wins. Null: none. */
  async entryFor(path: string): Promise<MountEntry | null> {
    let best: MountEntry | null = null;
    for (const entry of await this.table.entries()) {
      const covers = !entry.retired && (path.startsWith(entry.path) || `${path}/` === entry.path);
      if (covers && entry.path.length > (best?.path.length ?? 0)) best = entry;
    }
    return best;
  }

  /** The mount with this id, retired ones too. */
  async byUuid(uuid: string): Promise<MountEntry | null> {
    return (await this.table.entries()).find((entry) => entry.uuid === uuid) ?? null;
  }

  /** The engine of a mount, loaded. */
  async load(entry: MountEntry): Promise<Mounted> {
    const known = this.#loaded.get(entry.uuid);
    if (known !== undefined) {
      known.entry = entry;
      return { entry, backend: await known.backend };
    }
    const slot = { entry, backend: Promise.resolve({} as Backend) };
    slot.backend = this.#start(entry, () => slot.entry);
    this.#loaded.set(entry.uuid, slot);
    try {
      return { entry, backend: await slot.backend };
    } catch (error) {
      this.#loaded.delete(entry.uuid);
      throw error;
    }
  }

  async #start(entry: MountEntry, current: () => MountEntry): Promise<Backend> {
    const context = this.#context(entry, current);
    if (isAuthMount(entry)) {
      const method = this.authMethods.find((candidate) => candidate.type === entry.type);
      if (method === undefined) throw unknownType("auth method", entry.type);
      const logins = loginGuard(this.#deps, entry.accessor, () => current().config.auth?.lockout ?? null);
      // Assigned, not copied: the context's path and TTLs are read when they are asked for.
      return (await method.load())(Object.assign(context, { logins }));
    }
    const type = this.#deps.engines.find((candidate) => candidate.type === entry.type);
    if (type === undefined) throw unknownType("engine", entry.type);
    return (await type.load())(context);
  }

  #context(entry: MountEntry, current: () => MountEntry): MountContext {
    const { barrier, clock, random, log } = this.#deps;
    return {
      get mountPath() {
        return current().path;
      },
      accessor: entry.accessor,
      get options() {
        return current().options ?? {};
      },
      storage: engineStorage(barrier, mountPrefix(entry.uuid), (isFirst) =>
        this.table.checkStanding(current(), isFirst),
      ),
      clock,
      random,
      log,
      get ttl() {
        return effectiveTtl(current());
      },
      hash: (purpose, value) => barrier.hash(`${mountPrefix(entry.uuid)}${purpose}`, value),
      hasLease: async (principal) => {
        return (await leasesOfPrincipal({ barrier }, principal)).length > 0;
      },
      passwords: {
        generate: async (policy) => {
          const { passwordByPolicy } = await import("../passwords/store.ts");
          return passwordByPolicy(this.#deps, policy);
        },
      },
    };
  }

  /** The secret type that a lease of this mount names, and its mount. Null: mount or type is not there any more. */
  async secretType(uuid: string, name: string): Promise<{ entry: MountEntry; type: SecretType } | null> {
    const entry = await this.byUuid(uuid);
    if (entry === null) return null;
    const { backend } = await this.load(entry);
    const type = backend.secrets.find((candidate) => candidate.name === name);
    return type === undefined ? null : { entry, type };
  }

  /** Ends one mount's connections and forgets its engine. */
  async unload(uuid: string): Promise<void> {
    const slot = this.#loaded.get(uuid);
    this.#loaded.delete(uuid);
    if (slot !== undefined) await (await slot.backend).close?.();
  }

  async close(): Promise<void> {
    const uuids = [...this.#loaded.keys()];
    await Promise.allSettled(uuids.map((uuid) => this.unload(uuid)));
  }
}

function unknownType(kind: string, type: string): VsecError {
  return new VsecError(
    "STORE_TOO_NEW",
    `this vsec has no ${kind} of type "${type}"; use the one that mounted it`,
  );
}
