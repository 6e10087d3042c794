import type { Barrier, Storage } from "../../../src/barrier/port.ts";
import { ApiError } from "../../../src/base/errors.ts";
import type { JsonObject } from "../../../src/base/json.ts";
import type { Log, LogFields } from "../../../src/base/log.ts";
import { noProcesses } from "../../../src/base/processes.ts";
import { AuditBroker } from "../../../src/core/audit/broker.ts";
import { Builtins } from "../../../src/core/builtins.ts";
import { Metrics } from "../../../src/core/metrics.ts";
import { Mounts } from "../../../src/core/mounts/mounts.ts";
import type { Services } from "../../../src/core/services.ts";
import type { Caller } from "../../../src/core/tokens/caller.ts";
import { createToken, type TokenSpec } from "../../../src/core/tokens/create.ts";
import { findCaller } from "../../../src/core/tokens/store.ts";
import type {
  EngineRequest,
  Operation,
  OperationSpec,
  PathSpec,
  Reply,
} from "../../../src/framework/backend.ts";
import { dispatch } from "../../../src/framework/dispatch.ts";
import type { Fields } from "../../../src/framework/field.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { newWorld, type StoppedClock } from "../../barrier/world.ts";

/** The core's services over a store in memory, with tokens and nothing mounted. */
export interface AccessWorld {
  readonly services: Services;
  readonly clock: StoppedClock;
  /** The store itself, where everything is encrypted. */
  readonly storage: Storage;
  readonly logged: { readonly message: string; readonly fields: LogFields | undefined }[];
  /** Another process on the same store. */
  another(): Promise<Services>;
}

export async function accessWorld(): Promise<AccessWorld> {
  const { barrier, clock, storage, open } = await newWorld();
  const logged: { message: string; fields: LogFields | undefined }[] = [];
  const note = (message: string, fields?: LogFields): void => {
    logged.push({ message, fields });
  };
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const servicesOver = (opened: Barrier): Services => {
    const deps = { barrier: opened, clock, random: systemRandom, log };
    const mounts = new Mounts({ ...deps, engines: [], builtins: new Builtins({}) });
    return {
      ...deps,
      mounts,
      audit: new AuditBroker(deps),
      metrics: new Metrics(clock.now()),
      processes: noProcesses,
    };
  };
  return {
    services: servicesOver(barrier),
    clock,
    storage,
    logged,
    another: async () => servicesOver(await open()),
  };
}

const SPEC: TokenSpec = {
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
  mountTtl: { defaultSeconds: 3600, maxSeconds: 36_000 },
};

/** Makes a token and gives it as the caller of a request. */
export async function newCaller(services: Services, spec: Partial<TokenSpec> = {}): Promise<Caller> {
  const { id } = await createToken(services, { ...SPEC, ...spec });
  return callerOf(services, id);
}

/** @throws TypeError when the token is not good. */
export async function callerOf(services: Services, token: string): Promise<Caller> {
  const caller = await findCaller(services.barrier, token, services.clock.now());
  if (caller === null) throw new TypeError("the token is not good");
  return caller;
}

export interface Ask {
  readonly operation?: Operation;
  readonly path: string;
  readonly data?: JsonObject;
  readonly caller?: Caller;
  readonly wrapTtlSeconds?: number;
}

const RIGHTS = { isRoot: false, capabilities: () => [] };

/** Sends a request to paths of the core's own, with what the pipeline would give them. */
export function ask(paths: readonly PathSpec[], request: Ask): Promise<Reply | undefined> {
  const { operation = "update", path, data = {}, caller, wrapTtlSeconds } = request;
  const extras = { caller, wrapTtlSeconds, acl: RIGHTS, remoteAddress: null };
  const given = paths.map((spec) => withExtras(spec, extras));
  return dispatch(
    { paths: given },
    { operation, path, data, displayName: "token", token: caller?.token ?? "" },
  );
}

function withExtras(spec: PathSpec, extras: object): PathSpec {
  const operations = Object.fromEntries(
    Object.entries(spec.operations).map(([name, operation]: [string, OperationSpec<Fields>]) => [
      name,
      {
        ...operation,
        handler: (request: EngineRequest<Fields>) => operation.handler({ ...request, ...extras }),
      },
    ]),
  );
  const { exists } = spec;
  return {
    ...spec,
    operations,
    ...(exists === undefined ? {} : { exists: (request) => exists({ ...request, ...extras }) }),
  };
}

/** Status and text of the refusal that a request ends in. */
export async function refusalOf(answer: Promise<unknown>): Promise<{ status: number; text: string }> {
  try {
    await answer;
  } catch (error) {
    if (error instanceof ApiError) return { status: error.status, text: error.errors.join("|") };
    throw error;
  }
  return { status: 200, text: "no refusal" };
}

/** Everything that lies in a store, keys and values, as text. */
export async function bytesOf(storage: Storage): Promise<string> {
  const { entries } = await storage.scan("", { limit: 10_000 });
  return entries.map(({ key, value }) => `${key}\n${Buffer.from(value).toString("latin1")}`).join("\n");
}
