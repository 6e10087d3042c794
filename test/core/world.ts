import { AUTH_METHODS } from "../../src/auth/index.ts";
import { initBarrier } from "../../src/barrier/open.ts";
import type { Barrier } from "../../src/barrier/port.ts";
import { VsecError } from "../../src/base/errors.ts";
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { Log, LogFields } from "../../src/base/log.ts";
import type { HostIdentity, Processes } from "../../src/base/processes.ts";
import type { ApiRequest, ApiResponse, Method } from "../../src/contract/wire.ts";
import { Core } from "../../src/core/core.ts";
import type { LeaseRecord } from "../../src/core/leases/record.ts";
import { emptyMountTable } from "../../src/core/mounts/table.ts";
import { newRootToken } from "../../src/core/tokens/store.ts";
import { runOnce } from "../../src/daemon/loop.ts";
import { ENGINES } from "../../src/engines/index.ts";
import { type Backend, type MountContext, path } from "../../src/framework/backend.ts";
import { field } from "../../src/framework/field.ts";
import { NothingMade, type SecretType } from "../../src/framework/secret.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { openMemoryStorage } from "../../src/storage/memory/memory-storage.ts";

const MINUTE_MS = 60_000;

/** A key of the tiny engine: what its backend, a set in memory, holds. */
export interface Keys {
  readonly live: Set<string>;
  /** Every key that was asked to be made gone, in order. */
  readonly revoked: string[];
  /** While set, revocations fail with this, or with this text. */
  broken: string | Error | null;
  /** Runs in the middle of a creation, once the key is live. */
  duringCreate: () => Promise<void>;
  /** Runs once keys that were asked to be gone are. */
  duringRevoke: () => Promise<void>;
}

function keySecret(keys: Keys): SecretType {
  return {
    name: "key",
    createTimeoutMs: MINUTE_MS,
    renew: async ({ internal }) => ({
      ttlSeconds: Number(internal.ttl),
      maxTtlSeconds: Number(internal.max),
      apply: async () => {
        if (internal.name === "stubborn") throw new VsecError("BACKEND", "the backend does not want to");
      },
    }),
    revoke: async (secrets) => {
      const outcomes = secrets.map(({ internal }) => {
        keys.revoked.push(String(internal.key));
        if (keys.broken instanceof Error) return keys.broken;
        if (keys.broken !== null) return new VsecError("BACKEND", keys.broken);
        keys.live.delete(String(internal.key));
        return null;
      });
      await keys.duringRevoke();
      return outcomes;
    },
  };
}

/** An engine as small as it can be: `key/<name>` issues a key, `note/<name>` keeps data, `fail` fails. */
function tinyEngine(keys: Keys): (context: MountContext) => Backend {
  const { renew: _renew, ...fixed } = keySecret(keys);
  return ({ storage }) => ({
    help: "Issues keys.",
    secrets: [keySecret(keys), { ...fixed, name: "fixed-key" }],
    paths: [
      path({
        pattern: "key/:name",
        fields: {
          name: field.string({ description: "The key's name." }),
          ttl: field.duration({ description: "Its TTL." }),
          max: field.duration({ description: "Its longest TTL." }),
        },
        help: { synopsis: "Issue a key." },
        operations: {
          read: {
            summary: "Issue a key.",
            handler: async ({ values }) => {
              const key = `${values.name}-${Buffer.from(systemRandom.bytes(6)).toString("hex")}`;
              return {
                lease: {
                  secret: values.name === "fixed" ? "fixed-key" : "key",
                  internal: { key, name: values.name, ttl: values.ttl, max: values.max },
                  principal: key,
                  ttlSeconds: values.ttl,
                  maxTtlSeconds: values.max,
                  create: async (lease) => {
                    if (values.name === "serial") lease.alsoCall(`serial of ${key}`);
                    if (values.name === "impossible") throw new VsecError("BACKEND", "no more keys");
                    if (values.name === "unasked") throw new NothingMade(500, "the backend is away");
                    keys.live.add(key);
                    await keys.duringCreate();
                    return { key };
                  },
                },
              };
            },
          },
        },
      }),
      path({
        pattern: "note/:name",
        takesAnyField: true,
        fields: { name: field.string({ description: "The note's name." }) },
        help: { synopsis: "Keep a note." },
        operations: {
          read: {
            summary: "Read a note.",
            handler: async ({ values }) => {
              const entry = await storage.get(`note/${values.name}`);
              return entry === null ? undefined : { data: entry.value };
            },
          },
          update: {
            summary: "Write a note.",
            handler: async ({ values, raw }) => {
              await storage.commit([{ op: "put", key: `note/${values.name}`, value: { note: raw } }]);
              return undefined;
            },
          },
        },
      }),
      path({
        pattern: "note",
        fields: {},
        help: { synopsis: "List the notes." },
        operations: {
          list: {
            summary: "List the notes.",
            handler: async () => ({ data: { keys: await storage.list("note/") } }),
          },
        },
      }),
      path({
        pattern: "fail",
        fields: { password: field.string({ description: "A secret.", sensitive: true }) },
        help: { synopsis: "Fail." },
        operations: {
          update: {
            summary: "Fail as a bug does.",
            handler: async ({ values }) => {
              throw new TypeError(`cannot read "${values.password}"`);
            },
          },
        },
      }),
    ],
  });
}

export const HOST: HostIdentity = { hostname: "here", machine: "m", boot: "b", namespace: "n" };

/** A core with the root token, a tiny engine at `tiny/` and at `tinier/`, and a clock that stands still until told. */
export class CoreWorld {
  readonly keys: Keys = {
    live: new Set(),
    revoked: [],
    broken: null,
    duringCreate: async () => undefined,
    duringRevoke: async () => undefined,
  };
  readonly logged: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  readonly barrier: Barrier;
  /** What the core sees of other processes; a test says how it is with them. */
  readonly processes: Processes & { liveness: Processes["liveness"] } = {
    self: () => null,
    host: () => HOST,
    liveness: () => "alive",
  };
  readonly core: Core;
  readonly #token: string;
  readonly #time: { now: number };

  private constructor(barrier: Barrier, token: string, time: { now: number }) {
    this.barrier = barrier;
    this.#token = token;
    this.#time = time;
    this.core = this.newCore();
  }

  /** @param now - Where its clock stands; a world with a real backend in it begins at the present. */
  static async create(now = 1_700_000_000_000): Promise<CoreWorld> {
    const time = { now };
    let token = "";
    const barrier = await initBarrier({
      storage: openMemoryStorage(),
      rootKey: systemRandom.bytes(32),
      clock: { now: () => time.now, sleep: async () => undefined },
      random: systemRandom,
      seal: { type: "key-file", storeId: "unit", params: {} },
      writes: (opened) => {
        const root = newRootToken(opened, systemRandom, time.now);
        token = root.id;
        return [emptyMountTable(), ...root.writes];
      },
    });
    const world = new CoreWorld(barrier, token, time);
    await world.put("sys/mounts/tiny", { type: "tiny" });
    await world.put("sys/mounts/tinier", { type: "tiny" });
    return world;
  }

  /** Another process on the same store. */
  newCore(): Core {
    const note = (message: string, fields?: LogFields): void => {
      this.logged.push({ message, fields });
    };
    const log: Log = { debug: note, info: note, warn: note, error: note };
    return new Core({
      barrier: this.barrier,
      clock: { now: () => this.#time.now, sleep: async () => undefined },
      random: systemRandom,
      processes: this.processes,
      log,
      authMethods: AUTH_METHODS,
      engines: [{ type: "tiny", description: "keys", load: async () => tinyEngine(this.keys) }, ...ENGINES],
      sealPaths: [],
    });
  }

  get now(): number {
    return this.#time.now;
  }

  advance(seconds: number): void {
    this.#time.now += seconds * 1000;
  }

  send(method: Method, requestPath: string, rest: Partial<ApiRequest> = {}): Promise<ApiResponse> {
    return this.core.handle({ method, path: requestPath, token: this.#token, ...rest });
  }

  put(requestPath: string, body: Json = {}): Promise<ApiResponse> {
    return this.send("PUT", requestPath, { body });
  }

  get(requestPath: string, query: JsonObject = {}): Promise<ApiResponse> {
    return this.send("GET", requestPath, { query });
  }

  /** Issues a key. @throws TypeError when that is refused. */
  async issue(
    requestPath: string,
    query: JsonObject = {},
  ): Promise<{ id: string; key: string; seconds: number }> {
    const { status, body } = await this.get(requestPath, query);
    if (status !== 200) throw new TypeError(`no key: ${JSON.stringify(body)}`);
    const { lease_id, lease_duration, data } = body as unknown as {
      lease_id: string;
      lease_duration: number;
      data: { key: string };
    };
    return { id: lease_id, key: data.key, seconds: lease_duration };
  }

  /** Does what is due now, as `vsec daemon -once`. */
  async daemon(): Promise<{ done: number; failed: number }> {
    return runOnce(this.core, new AbortController().signal);
  }

  /** A lease as it is stored. */
  async record(id: string): Promise<(LeaseRecord & { dueAt: number | null }) | null> {
    const entry = await this.barrier.get(`lease/${id}`);
    if (entry === null) return null;
    const record = JSON.parse(Buffer.from(entry.value).toString("utf8")) as LeaseRecord;
    return { ...record, dueAt: entry.dueAt };
  }
}

/** The one text of a refusal. */
export function errorOf({ body }: ApiResponse): string {
  return (body as { errors?: string[] } | null)?.errors?.join("|") ?? "";
}

/** The data of an answer. */
export function dataOf({ body }: ApiResponse): JsonObject {
  return (body as { data?: JsonObject } | null)?.data ?? {};
}
