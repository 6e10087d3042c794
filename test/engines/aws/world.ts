import { initBarrier } from "../../../src/barrier/open.ts";
import type { Barrier } from "../../../src/barrier/port.ts";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { ApiResponse, Method } from "../../../src/contract/wire.ts";
import { Core } from "../../../src/core/core.ts";
import { emptyMountTable } from "../../../src/core/mounts/table.ts";
import { newRootToken } from "../../../src/core/tokens/store.ts";
import { runOnce } from "../../../src/daemon/loop.ts";
import { awsEngine } from "../../../src/engines/aws/backend.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { openMemoryStorage } from "../../../src/storage/memory/memory-storage.ts";

/** Thrown in place of a commit by a process that is no more. */
class ProcessGone extends Error {}

/** A core with an AWS engine at `aws/`, over a store in memory, and a clock that moves when told. */
export class AwsWorld {
  readonly #time: { offsetMs: number };
  readonly #barrier: Barrier;
  readonly #token: string;
  readonly #cores: Core[] = [];
  core: Core;
  /** While true, nothing of the present core reaches the store any more: its process is gone. */
  #life = { isGone: false };

  private constructor(barrier: Barrier, token: string, time: { offsetMs: number }) {
    this.#barrier = barrier;
    this.#token = token;
    this.#time = time;
    this.core = this.#newCore();
  }

  static async create(): Promise<AwsWorld> {
    const time = { offsetMs: 0 };
    let token = "";
    const clock = { now: () => Date.now() + time.offsetMs, sleep: async () => undefined };
    const barrier = await initBarrier({
      storage: openMemoryStorage(),
      rootKey: systemRandom.bytes(32),
      clock,
      random: systemRandom,
      seal: { type: "key-file", storeId: "aws", params: {} },
      writes: (opened) => {
        const root = newRootToken(opened, systemRandom, clock.now());
        token = root.id;
        return [emptyMountTable(), ...root.writes];
      },
    });
    const world = new AwsWorld(barrier, token, time);
    await world.write("sys/mounts/aws", { type: "aws" });
    return world;
  }

  #newCore(): Core {
    const life = { isGone: false };
    this.#life = life;
    const barrier = new Proxy(this.#barrier, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        if (name !== "commit") return value.bind(target);
        return (...args: unknown[]): unknown => {
          if (life.isGone) return Promise.reject(new ProcessGone("the process is gone"));
          return value.apply(target, args);
        };
      },
    });
    const core = new Core({
      barrier,
      clock: { now: () => Date.now() + this.#time.offsetMs, sleep: async () => undefined },
      random: systemRandom,
      log: silentLog,
      engines: [{ type: "aws", description: "", load: async () => awsEngine({ requestTimeoutMs: 700 }) }],
      sealPaths: [],
    });
    this.#cores.push(core);
    return core;
  }

  /** The process dies now: whatever it still does, it cannot store. A new one takes its place. */
  die(): void {
    this.#life.isGone = true;
    this.core = this.#newCore();
  }

  advance(seconds: number): void {
    this.#time.offsetMs += seconds * 1000;
  }

  send(method: Method, path: string, rest: { body?: Json; query?: JsonObject } = {}): Promise<ApiResponse> {
    return this.core.handle({ method, path, token: this.#token, ...rest });
  }

  write(path: string, body: Json = {}): Promise<ApiResponse> {
    return this.send("PUT", path, { body });
  }

  read(path: string, query: JsonObject = {}): Promise<ApiResponse> {
    return this.send("GET", path, { query });
  }

  /** A write that has to succeed. @returns Its data. */
  async must(path: string, body: Json = {}): Promise<JsonObject> {
    return dataOf(await this.write(path, body), path);
  }

  /** A read that has to succeed. @returns Its whole answer. */
  async issue(path: string, query: JsonObject = {}): Promise<Issued> {
    const response = await this.read(path, query);
    const data = dataOf(response, path);
    const body = response.body as JsonObject;
    return {
      data,
      leaseId: String(body.lease_id),
      leaseSeconds: Number(body.lease_duration),
      renewable: body.renewable === true,
    };
  }

  /** Does everything that is due now. */
  daemon(): Promise<{ done: number; failed: number }> {
    return runOnce(this.core, new AbortController().signal);
  }

  /** Lets time pass, with the daemon at work, until nothing is due within ten minutes. */
  async settle(): Promise<void> {
    for (let round = 0; round < 12; round += 1) {
      await this.daemon();
      this.advance(60);
    }
  }

  /** The ids of all leases. */
  async leases(): Promise<string[]> {
    const page = await this.#barrier.scan("lease/", { limit: 5000 });
    return page.entries.map(({ key }) => key);
  }

  lookUp(leaseId: string): Promise<JsonObject> {
    return this.must("sys/leases/lookup", { lease_id: leaseId });
  }

  async close(): Promise<void> {
    for (const core of this.#cores) await core.close();
  }
}

export interface Issued {
  readonly data: JsonObject;
  readonly leaseId: string;
  readonly leaseSeconds: number;
  readonly renewable: boolean;
}

/** @throws with the answer when it is a refusal. */
export function dataOf({ status, body }: ApiResponse, what: string): JsonObject {
  if (status >= 300) throw new Error(`${what}: ${status} ${JSON.stringify(body)}`);
  return (body as { data?: JsonObject } | null)?.data ?? {};
}

/** Status and text of a refusal. */
export function refusalOf({ status, body }: ApiResponse): { status: number; text: string } {
  return { status, text: ((body as { errors?: string[] } | null)?.errors ?? []).join("|") };
}
