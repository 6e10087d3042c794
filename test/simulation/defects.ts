import type { Barrier } from "../../src/barrier/port.ts";
import type { LeaseRecord } from "../../src/core/leases/record.ts";
import { databaseEngine } from "../../src/engines/database/backend.ts";
import { DatabaseError, type DatabasePlugin, type PluginFinder } from "../../src/engines/database/plugin.ts";
import type { ProbeRecord } from "../../src/engines/database/probe-user.ts";
import type { StaticRole } from "../../src/engines/database/static-role.ts";
import type { Backend, MountContext, PathSpec } from "../../src/framework/backend.ts";
import type { LeasePlan } from "../../src/framework/secret.ts";
import type { Storage, Write } from "../../src/storage/port.ts";
import type { Promised } from "./invariants.ts";
import type { Defects } from "./world.ts";

/** A broken system, and the promise that it breaks. */
export interface Mutant {
  readonly name: string;
  readonly breaks: Promised;
  readonly defects: Defects;
}

function leaseOf(write: Write): LeaseRecord | null {
  if (write.op !== "put" || !write.key.startsWith("lease/")) return null;
  return JSON.parse(Buffer.from(write.value).toString("utf8")) as LeaseRecord;
}

/** A barrier that commits something else than it is told, and says that all went well. */
function committing(change: (write: Write) => Write | null): (barrier: Barrier) => Barrier {
  return (barrier) => ({
    ...methodsOf(barrier),
    async commit(writes) {
      const changed = writes.map(change);
      const done = await barrier.commit(changed.filter((write) => write !== null));
      const versions = [...done];
      // What was left out gets a version that nobody else has.
      const puts = writes.flatMap((write, index) => (write.op === "put" ? [changed[index]] : []));
      return puts.map((put) => (put === null ? 0 : (versions.shift() ?? 0)));
    },
  });
}

/** The barrier's methods, bound, to be copied and replaced. */
function methodsOf(barrier: Barrier): Barrier {
  return {
    get: (key) => barrier.get(key),
    list: (prefix, page) => barrier.list(prefix, page),
    scan: (prefix, page) => barrier.scan(prefix, page),
    walk: (prefix, page) => barrier.walk(prefix, page),
    find: (tag, page) => barrier.find(tag, page),
    commit: (writes) => barrier.commit(writes),
    sweep: (swaths, version) => barrier.sweep(swaths, version),
    writes: () => barrier.writes(),
    claim: (request) => barrier.claim(request),
    release: (keys, owner) => barrier.release(keys, owner),
    nextDue: () => barrier.nextDue(),
    hash: (purpose, value) => barrier.hash(purpose, value),
    seal: (purpose, bytes) => barrier.seal(purpose, bytes),
    open: (purpose, sealed) => barrier.open(purpose, sealed),
    keyStatus: () => barrier.keyStatus(),
    rotate: () => barrier.rotate(),
  };
}

/** A disk that does not keep writers apart. */
function lawless(storage: Storage): Storage {
  return {
    get: (key) => storage.get(key),
    list: (prefix, page) => storage.list(prefix, page),
    scan: (prefix, page) => storage.scan(prefix, page),
    walk: (prefix, page) => storage.walk(prefix, page),
    find: (tag, page) => storage.find(tag, page),
    commit: (writes) =>
      storage.commit(
        writes.filter((write) => write.op !== "check").map(({ expect: _expect, ...write }) => write as Write),
      ),
    sweep: (swaths) => storage.sweep(swaths, Number.MAX_SAFE_INTEGER),
    async claim(request) {
      const entries = await storage.claim(request);
      await storage.release(
        entries.map(({ key }) => key),
        request.owner,
      );
      return entries;
    },
    release: async () => undefined,
    nextDue: () => storage.nextDue(),
    writes: () => storage.writes(),
    close: () => storage.close(),
  };
}

/** An engine as Vault's own: the user is made while the request is handled, and the lease comes after. */
function createsFirst(findPlugin: PluginFinder): (context: MountContext) => Backend {
  const mount = databaseEngine(findPlugin);
  return (context) => {
    const backend = mount(context);
    return { ...backend, paths: backend.paths.map(eagerly) };
  };
}

function eagerly(spec: PathSpec): PathSpec {
  const { read } = spec.operations;
  if (spec.pattern !== "creds/:name" || read === undefined) return spec;
  const handler: typeof read.handler = async (request) => {
    const reply = await read.handler(request);
    if (reply?.lease === undefined) return reply;
    const far = Number.MAX_SAFE_INTEGER / 2;
    const data = await reply.lease.create({
      id: "none",
      expiresAt: far,
      endBy: far,
      alsoCall: () => undefined,
    });
    const lease: LeasePlan = { ...reply.lease, create: async () => data };
    return { ...reply, lease };
  };
  return { ...spec, operations: { ...spec.operations, read: { ...read, handler } } };
}

/** An engine that takes a lost answer for a success, and believes that every login works. */
function trustsSetting(findPlugin: PluginFinder): (context: MountContext) => Backend {
  return databaseEngine(async (name) => {
    const type = await findPlugin(name);
    return { ...type, open: (details, context) => trusting(type.open(details, context)) };
  });
}

function trusting(plugin: DatabasePlugin): DatabasePlugin {
  return {
    ...plugin,
    setPassword: async (...change) => {
      await plugin.setPassword(...change).catch((error: unknown) => {
        if (!(error instanceof DatabaseError) || error.kind !== "ambiguous") throw error;
      });
    },
    verifyLogin: async () => "accepted",
  };
}

const HOUR_MS = 3_600_000;

export const MUTANTS: readonly Mutant[] = [
  {
    name: "a store that loses the pending lease",
    breaks: "orphan",
    defects: { barrier: committing((write) => (leaseOf(write)?.state === "pending" ? null : write)) },
  },
  { name: "an engine that creates before the lease", breaks: "orphan", defects: { engine: createsFirst } },
  {
    name: "a database that deletes without waiting for a creation under way",
    breaks: "orphan",
    defects: { database: { noFence: true } },
  },
  {
    name: "a plugin that says that it has asked for nothing, and has",
    breaks: "orphan",
    defects: { database: { forgetsAsking: true } },
  },
  {
    name: "a pending lease that is forgotten at the first look",
    breaks: "orphan",
    defects: {
      barrier: committing((write) => {
        const record = leaseOf(write);
        if (record === null || write.op !== "put" || record.state === "active") return write;
        return { ...write, value: Buffer.from(JSON.stringify({ ...record, createUntil: null })) };
      }),
    },
  },
  {
    name: "a database that says deleted and does not",
    breaks: "notRevoked",
    defects: { database: { liesAboutDeletion: true } },
  },
  {
    name: "a lease without a due time",
    breaks: "noDueTime",
    defects: {
      barrier: committing((write) =>
        leaseOf(write)?.state === "active" ? { ...write, dueAt: null } : write,
      ),
    },
  },
  {
    name: "a renewal that is answered and not stored",
    breaks: "early",
    defects: {
      barrier: committing((write) => {
        const record = leaseOf(write);
        return record?.state === "active" && record.renewedAt !== null ? null : write;
      }),
    },
  },
  {
    name: "a daemon whose clock is an hour fast",
    breaks: "early",
    defects: {
      barrier: (barrier) => ({
        ...methodsOf(barrier),
        claim: (request) => barrier.claim({ ...request, now: request.now + HOUR_MS }),
      }),
    },
  },
  { name: "a store without preconditions and claims", breaks: "twice", defects: { storage: lawless } },
  {
    name: "a preflight whose user is not recorded before it is made",
    breaks: "orphan",
    defects: { barrier: committing((write) => (write.key.includes("/probe-users/") ? null : write)) },
  },
  {
    name: "a preflight's user that is forgotten at the first look",
    breaks: "orphan",
    defects: {
      preflights: 0.5,
      barrier: committing((write) => {
        if (write.op !== "put" || !write.key.includes("/probe-users/")) return write;
        const { isSecondLook } = JSON.parse(Buffer.from(write.value).toString("utf8")) as ProbeRecord;
        return isSecondLook ? { op: "delete", key: write.key } : write;
      }),
    },
  },
  {
    name: "a rotation that is not recorded before it is made",
    breaks: "passwordLost",
    defects: { barrier: committing((write) => (write.key.includes("/root-rotation/") ? null : write)) },
  },
  {
    name: "a static role's password that is not recorded before it is set",
    breaks: "staticLost",
    defects: {
      barrier: committing((write) => {
        if (write.op !== "put" || !write.key.includes("/static-roles/")) return write;
        const role = JSON.parse(Buffer.from(write.value).toString("utf8")) as StaticRole;
        return { ...write, value: Buffer.from(JSON.stringify({ ...role, next: null })) };
      }),
    },
  },
  {
    name: "a static role's password that is neither known to be set nor proved",
    breaks: "staticLost",
    defects: { engine: trustsSetting },
  },
  {
    name: "a lease that passes without the gate of its role",
    breaks: "overCapped",
    defects: { barrier: committing((write) => (write.key.includes("/live-limit/") ? null : write)) },
  },
  {
    name: "a lease that is committed on a mount that is gone",
    breaks: "leftOver",
    defects: { barrier: committing((write) => (write.op === "check" ? null : write)) },
  },
];
