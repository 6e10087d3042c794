/** A store with the root token, a mount that issues keys, a clock that stands still, and storage that can be cut off. */

import { initBarrier, openBarrier } from "../../../src/barrier/open.ts";
import type { Storage } from "../../../src/barrier/port.ts";
import { VsecError } from "../../../src/base/errors.ts";
import type { JsonObject } from "../../../src/base/json.ts";
import { silentLog } from "../../../src/base/log.ts";
import { noProcesses } from "../../../src/base/processes.ts";
import { AuditBroker } from "../../../src/core/audit/broker.ts";
import type { BuiltinRequest, CallerRights } from "../../../src/core/builtin-request.ts";
import { Builtins } from "../../../src/core/builtins.ts";
import { issueLease } from "../../../src/core/leases/issue.ts";
import { decodeLease, LEASE_PREFIX } from "../../../src/core/leases/record.ts";
import { revokeLeases } from "../../../src/core/leases/revoke.ts";
import { Metrics } from "../../../src/core/metrics.ts";
import { Mounts } from "../../../src/core/mounts/mounts.ts";
import { emptyMountTable } from "../../../src/core/mounts/table.ts";
import type { Services } from "../../../src/core/services.ts";
import { authenticate } from "../../../src/core/tokens/authenticate.ts";
import { tokenBackend } from "../../../src/core/tokens/backend.ts";
import type { Caller } from "../../../src/core/tokens/caller.ts";
import { TOKEN_MOUNT_TTL } from "../../../src/core/tokens/context.ts";
import { type CreatedToken, createToken, type TokenSpec } from "../../../src/core/tokens/create.ts";
import type { TokenIdentity } from "../../../src/core/tokens/identity.ts";
import { hashOfKey, TOKEN_PREFIX } from "../../../src/core/tokens/record.ts";
import { settleDueToken } from "../../../src/core/tokens/revoke.ts";
import { newRootToken } from "../../../src/core/tokens/store.ts";
import type { EngineRequest, Operation, Reply } from "../../../src/framework/backend.ts";
import type { Fields } from "../../../src/framework/field.ts";
import { parseFields } from "../../../src/framework/parse-fields.ts";
import { matchPath } from "../../../src/framework/path-match.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { openMemoryStorage } from "../../../src/storage/memory/memory-storage.ts";

export const START = 1_700_000_000_000;

/** Fails for good from the n-th operation on: `before` without it, `after` once it took effect. */
export interface Cut {
  readonly at: number;
  readonly mode: "before" | "after";
}

/** A process that is killed: nothing it does from some operation on reaches the store, or comes back from it. */
export function cutStorage(storage: Storage, cut: Cut): Storage & { operations: number } {
  const dead = (): VsecError => new VsecError("STORE_IO", "killed");
  const counted = {
    operations: 0,
    async run<T>(operation: () => Promise<T>): Promise<T> {
      counted.operations += 1;
      if (counted.operations > cut.at) throw dead();
      if (counted.operations < cut.at) return operation();
      if (cut.mode === "after") await operation();
      throw dead();
    },
  };
  return {
    get operations() {
      return counted.operations;
    },
    get: (key) => counted.run(() => storage.get(key)),
    list: (prefix, page) => counted.run(() => storage.list(prefix, page)),
    scan: (prefix, page) => counted.run(() => storage.scan(prefix, page)),
    async *walk(prefix, page) {
      for await (const walked of storage.walk(prefix, page)) yield await counted.run(async () => walked);
    },
    find: (tag, page) => counted.run(() => storage.find(tag, page)),
    commit: (writes) => counted.run(() => storage.commit(writes)),
    sweep: (swaths, version) => counted.run(() => storage.sweep(swaths, version)),
    claim: (request) => counted.run(() => storage.claim(request)),
    release: (keys, owner) => counted.run(() => storage.release(keys, owner)),
    nextDue: () => counted.run(() => storage.nextDue()),
    writes: () => counted.run(() => storage.writes()),
    close: () => storage.close(),
  };
}

const NOBODY: TokenIdentity = {
  policiesOf: async (id) => (id === "entity-1" ? ["from-entity"] : []),
  entityForAlias: async (name) => `entity-of-${name}`,
};

export class TokenWorld {
  readonly storage: Storage;
  readonly services: Services;
  readonly root: Caller;
  readonly liveKeys: Set<string>;
  readonly revokeCalls: string[][];
  readonly #time: { now: number };
  readonly #rootKey: Uint8Array;

  private constructor(parts: {
    storage: Storage;
    services: Services;
    root: Caller;
    liveKeys: Set<string>;
    revokeCalls: string[][];
    time: { now: number };
    rootKey: Uint8Array;
  }) {
    this.storage = parts.storage;
    this.services = parts.services;
    this.root = parts.root;
    this.liveKeys = parts.liveKeys;
    this.revokeCalls = parts.revokeCalls;
    this.#time = parts.time;
    this.#rootKey = parts.rootKey;
  }

  static async create(): Promise<TokenWorld> {
    const time = { now: START };
    const clock = { now: () => time.now, sleep: async () => undefined };
    const storage = openMemoryStorage();
    const rootKey = systemRandom.bytes(32);
    let token = "";
    const barrier = await initBarrier({
      storage,
      rootKey,
      clock,
      random: systemRandom,
      seal: { type: "key-file", storeId: "unit", params: {} },
      writes: (opened) => {
        const fresh = newRootToken(opened, systemRandom, time.now);
        token = fresh.id;
        const mounts = { v: 1, mounts: [MOUNT] };
        const table = { ...emptyMountTable(), value: Buffer.from(JSON.stringify(mounts)) };
        return [table, ...fresh.writes];
      },
    });
    const liveKeys = new Set<string>();
    const revokeCalls: string[][] = [];
    const services = servicesOver(barrier, clock, liveKeys, revokeCalls);
    const root = await authenticate(services, token, null);
    if (root === null) throw new TypeError("the root token is not accepted");
    return new TokenWorld({ storage, services, root, liveKeys, revokeCalls, time, rootKey });
  }

  /** Another process on the same store, which may be cut off at some operation. */
  async process(cut?: Cut): Promise<{ services: Services; operations: () => number }> {
    const clock = { now: () => this.#time.now, sleep: async () => undefined };
    const storage = cutStorage(this.storage, cut ?? { at: Number.MAX_SAFE_INTEGER, mode: "before" });
    // The keyring is read from the store itself, so that the count begins with the work.
    let isOpen = false;
    const gate: Storage = {
      ...bound(storage),
      get: (key) => (isOpen ? storage.get(key) : this.storage.get(key)),
    };
    const barrier = await openBarrier({
      storage: gate,
      rootKey: this.#rootKey,
      clock,
      random: systemRandom,
    });
    isOpen = true;
    const services = servicesOver(barrier, clock, this.liveKeys, this.revokeCalls);
    return { services, operations: () => storage.operations };
  }

  get now(): number {
    return this.#time.now;
  }

  advance(seconds: number): void {
    this.#time.now += seconds * 1000;
  }

  /** Makes a token and uses it. */
  async token(
    given: Partial<TokenSpec> = {},
    services: Services = this.services,
  ): Promise<CreatedToken & { caller: Caller }> {
    const created = await createToken(services, { ...SPEC, ...given });
    const caller = await authenticate(services, created.id, null);
    if (caller === null) throw new TypeError("a new token is not accepted");
    return { ...created, caller };
  }

  /** Issues a key in the caller's name. */
  async lease(caller: Caller): Promise<string> {
    const { mounts } = this.services;
    const mounted = await mounts.load(MOUNT);
    const key = Buffer.from(systemRandom.bytes(6)).toString("hex");
    const { record } = await issueLease(this.services, {
      mounted,
      path: "keys/one",
      caller,
      plan: {
        secret: "key",
        internal: { key },
        principal: key,
        ttlSeconds: 3600,
        maxTtlSeconds: 0,
        create: async () => {
          this.liveKeys.add(key);
          return { key };
        },
      },
    });
    return record.id;
  }

  /** Puts an entry into a token's cubbyhole. */
  async hide(caller: Caller): Promise<void> {
    const key = `cubbyhole/${caller.tokenHash}/a/b`;
    await this.services.barrier.commit([{ op: "put", key, value: new Uint8Array([1]) }]);
  }

  /** A request to `auth/token/<path>`. */
  async call(
    operation: Exclude<Operation, "help">,
    path: string,
    data: JsonObject = {},
    from: { caller?: Caller; sudo?: boolean } = {},
  ): Promise<Reply | undefined> {
    const { caller = this.root, sudo = caller.record.policies.includes("root") } = from;
    const match = matchPath(tokenBackend(this.services, NOBODY), path);
    const spec = match?.spec.operations[operation === "create" ? "update" : operation];
    if (match === undefined || spec === undefined) throw new TypeError(`no ${operation} of ${path}`);
    const { values, given } = parseFields(match.spec.fields, data, match.captured);
    const acl: CallerRights = {
      isRoot: caller.record.policies.includes("root"),
      capabilities: () => (sudo ? ["sudo", "update"] : ["update"]),
    };
    const request: EngineRequest<Fields> & BuiltinRequest = {
      operation,
      accept: "",
      path,
      values,
      given,
      raw: data,
      displayName: caller.record.displayName,
      callerId: caller.tokenHash,
      clientToken: caller.token,
      remoteAddress: null,
      headers: {},
      content: null,
      isHead: false,
      fillTemplate: async () => null,
      caller,
      acl,
    };
    return spec.handler(request);
  }

  /** Makes a token by a request. @returns Its `auth`. */
  async make(data: JsonObject = {}, from: { caller?: Caller; sudo?: boolean; path?: string } = {}) {
    const reply = await this.call("update", from.path ?? "create", data, from);
    const auth = reply?.auth as JsonObject;
    const caller = await authenticate(this.services, String(auth.client_token), "10.0.0.1");
    return { auth, caller, id: String(auth.client_token), warnings: reply?.warnings ?? [] };
  }

  /** Does what is due until nothing is, as the daemon does. */
  async settle(services: Services = this.services): Promise<void> {
    for (;;) {
      const now = this.now;
      const claimed = await services.barrier.claim({ now, limit: 100, owner: "t", until: now + 120_000 });
      if (claimed.length === 0) return;
      for (const entry of claimed) {
        if (entry.key.startsWith(TOKEN_PREFIX)) await settleDueToken(services, hashOfKey(entry.key));
        else if (entry.key.startsWith(LEASE_PREFIX)) await revokeLeases(services, [decodeLease(entry)]);
        else throw new TypeError(`unexpected due work: ${entry.key}`);
      }
    }
  }

  /** Every key in the store, in clear. */
  async keys(): Promise<string[]> {
    const page = await this.services.barrier.scan("", { limit: 100_000 });
    return page.entries.map(({ key }) => key).sort();
  }

  isAccepted(token: string): Promise<boolean> {
    return authenticate(this.services, token, null).then((caller) => caller !== null);
  }
}

function bound(storage: Storage): Storage {
  return {
    get: (key) => storage.get(key),
    list: (prefix, page) => storage.list(prefix, page),
    scan: (prefix, page) => storage.scan(prefix, page),
    walk: (prefix, page) => storage.walk(prefix, page),
    find: (tag, page) => storage.find(tag, page),
    commit: (writes) => storage.commit(writes),
    sweep: (swaths, version) => storage.sweep(swaths, version),
    claim: (request) => storage.claim(request),
    release: (keys, owner) => storage.release(keys, owner),
    nextDue: () => storage.nextDue(),
    writes: () => storage.writes(),
    close: () => storage.close(),
  };
}

const MOUNT = {
  path: "keys/",
  type: "keys",
  uuid: "mount-of-keys",
  accessor: "keys_1",
  description: "",
  config: { defaultLeaseTtlSeconds: 0, maxLeaseTtlSeconds: 0, forceNoCache: false, extra: {} },
  options: null,
  local: false,
  sealWrap: false,
  externalEntropyAccess: false,
  retired: false,
  formerPaths: [],
} as const;

export const SPEC: TokenSpec = {
  type: "service",
  policies: ["default"],
  parent: null,
  ttlSeconds: 3600,
  explicitMaxTtlSeconds: 0,
  periodSeconds: 0,
  numUses: 0,
  renewable: true,
  displayName: "token",
  meta: null,
  path: "auth/token/create",
  entityId: "",
  boundCidrs: [],
  role: null,
  noDefaultPolicy: false,
  login: null,
  mountTtl: TOKEN_MOUNT_TTL,
};

function servicesOver(
  barrier: Services["barrier"],
  clock: Services["clock"],
  liveKeys: Set<string>,
  revokeCalls: string[][],
): Services {
  const mounts = new Mounts({
    barrier,
    clock,
    random: systemRandom,
    log: silentLog,
    builtins: new Builtins({}),
    engines: [
      {
        type: "keys",
        description: "Issues keys.",
        load: async () => () => ({
          help: "Issues keys.",
          paths: [],
          secrets: [
            {
              name: "key",
              createTimeoutMs: 10_000,
              revoke: async (secrets) => {
                revokeCalls.push(secrets.map(({ internal }) => String(internal.key)));
                for (const { internal } of secrets) liveKeys.delete(String(internal.key));
                return secrets.map(() => null);
              },
            },
          ],
        }),
      },
    ],
  });
  const audit = new AuditBroker({ barrier, clock, random: systemRandom, log: silentLog });
  const common = { barrier, clock, random: systemRandom, log: silentLog };
  return { ...common, mounts, audit, metrics: new Metrics(clock.now()), processes: noProcesses };
}

/** The text of a refusal; "none" when there is none. Rethrows what is no refusal. */
export async function refusal(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt();
    return "none";
  } catch (error) {
    if (error instanceof Error && error.name === "ApiError") return error.message;
    throw error;
  }
}
