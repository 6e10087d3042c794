/** A store in memory with auth methods mounted, called as the pipeline calls them. */

import { AUTH_METHODS } from "../../src/auth/index.ts";
import { ApiError } from "../../src/base/errors.ts";
import type { JsonObject } from "../../src/base/json.ts";
import { silentLog } from "../../src/base/log.ts";
import { noProcesses } from "../../src/base/processes.ts";
import { AuditBroker } from "../../src/core/audit/broker.ts";
import { Builtins } from "../../src/core/builtins.ts";
import { identityBackend } from "../../src/core/identity/backend.ts";
import { Metrics } from "../../src/core/metrics.ts";
import { Mounts } from "../../src/core/mounts/mounts.ts";
import { emptyMountTable, type MountEntry } from "../../src/core/mounts/table.ts";
import type { Services } from "../../src/core/services.ts";
import { authMountPaths } from "../../src/core/system/auth-paths.ts";
import { mountPaths } from "../../src/core/system/mount-paths.ts";
import { remountPaths } from "../../src/core/system/remount-paths.ts";
import { ENGINES } from "../../src/engines/index.ts";
import type { LoginGrant } from "../../src/framework/auth.ts";
import type { Backend, Operation, Reply } from "../../src/framework/backend.ts";
import { dispatch } from "../../src/framework/dispatch.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { newWorld, type StoppedClock } from "../barrier/world.ts";

export interface AuthWorld {
  readonly services: Services;
  readonly clock: StoppedClock;
  /** What every reader of the store could see: its keys and values, decrypted. */
  plainStore(): Promise<string>;
  call(
    operation: Operation,
    path: string,
    data?: JsonObject,
    from?: string | null,
  ): Promise<Reply | undefined>;
  write(path: string, data?: JsonObject, from?: string | null): Promise<Reply | undefined>;
  read(path: string): Promise<JsonObject | undefined>;
  login(path: string, data: JsonObject, from?: string | null): Promise<LoginGrant>;
  /** The text with which a call is refused, its status before it: `400 missing role_id`. */
  refusal(attempt: () => Promise<unknown>): Promise<string>;
  mount(path: string): Promise<MountEntry>;
  backend(path: string): Promise<Backend>;
  /** Does what is due in the mount at `path`, or in the identity store. @returns The keys, without the mount's prefix. */
  dueKeys(prefix: string): Promise<readonly string[]>;
}

export async function authWorld(): Promise<AuthWorld> {
  const { barrier, clock } = await newWorld();
  await barrier.commit([emptyMountTable()]);
  const own: Record<string, () => Promise<Backend>> = {
    "sys/": async () => ({ help: "", paths, secrets: [] }),
    "identity/": async () => identityBackend(services),
  };
  const mounts = new Mounts({
    barrier,
    clock,
    random: systemRandom,
    log: silentLog,
    engines: ENGINES,
    authMethods: AUTH_METHODS,
    builtins: new Builtins(own),
  });
  const audit = new AuditBroker({ barrier, clock, random: systemRandom, log: silentLog });
  const common = { barrier, clock, random: systemRandom, log: silentLog };
  const services: Services = {
    ...common,
    mounts,
    audit,
    metrics: new Metrics(clock.now()),
    processes: noProcesses,
  };
  const paths = [...mountPaths(services), ...remountPaths(services), ...authMountPaths(services)];

  const find = async (path: string): Promise<{ backend: Backend; mountPath: string }> => {
    const mountPath = mounts.builtins.pathFor(path);
    if (mountPath !== null) return { backend: await mounts.builtins.at(mountPath), mountPath };
    const entry = await mounts.entryFor(path);
    if (entry === null) throw new ApiError(404, "no route");
    return { backend: (await mounts.load(entry)).backend, mountPath: entry.path };
  };
  const call: AuthWorld["call"] = async (operation, path, data = {}, from = null) => {
    const { backend, mountPath } = await find(path);
    const below = path.slice(mountPath.length);
    return dispatch(backend, { operation, path: below, data, displayName: "test", remoteAddress: from });
  };
  const mount = async (path: string): Promise<MountEntry> => {
    const entry = await mounts.entryFor(path);
    if (entry === null) throw new ApiError(404, "no mount");
    return entry;
  };
  return {
    services,
    clock,
    call,
    mount,
    write: (path, data, from) => call("update", path, data, from),
    read: async (path) => (await call("read", path))?.data,
    login: async (path, data, from) => {
      const grant = (await call("update", path, data, from))?.login;
      if (grant === undefined) throw new ApiError(500, "the login granted nothing");
      return grant;
    },
    refusal: async (attempt) => {
      try {
        await attempt();
        return "none";
      } catch (error) {
        if (error instanceof ApiError) return `${error.status} ${error.errors.join("; ")}`;
        throw error;
      }
    },
    backend: async (path) => (await find(path)).backend,
    plainStore: async () => {
      const { entries } = await barrier.scan("", { limit: 10_000 });
      return entries.map(({ key, value }) => `${key}=${Buffer.from(value).toString("utf8")}`).join("\n");
    },
    dueKeys: async (prefix) => {
      const claim = { now: clock.now(), limit: 100, owner: "test", until: clock.now() + 1 };
      const due = await barrier.claim(claim);
      return due.filter(({ key }) => key.startsWith(prefix)).map(({ key }) => key.slice(prefix.length));
    },
  };
}
