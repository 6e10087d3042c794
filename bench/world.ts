/** A store with a database behind it, and its lease records written in bulk. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { isJsonObject } from "../src/base/json.ts";
import { composeInstance, type Instance } from "../src/compose.ts";
import { type LeaseRecord, putLease } from "../src/core/leases/record.ts";
import { readLease } from "../src/core/leases/store.ts";
import type { Services } from "../src/core/services.ts";
import { initDatabase } from "../test/e2e/database.ts";
import { World } from "../test/e2e/world.ts";
import type { PostgresLogin, PostgresServer } from "../test/servers/postgres.ts";
import { BenchFailed } from "./measure.ts";

export interface BenchWorld {
  readonly world: World;
  /** The administrator that vsec logs in as: it may create roles and nothing else. */
  readonly admin: PostgresLogin;
  /** The environment of a command. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where a credential is read. */
export const CREDS_PATH = "database/creds/readonly";

/** A new store whose key is in a key file, with a role `readonly` on the server. */
export async function benchWorld(server: PostgresServer): Promise<BenchWorld> {
  const world = new World();
  const admin = await initDatabase(world, server, { roles: { readonly: "1h" } });
  const env = { HOME: world.home, VSEC_STORE: world.store };
  return { world, admin, env };
}

/** Opens the store in this process. The caller closes it. */
export function openInstance({ env }: Pick<BenchWorld, "env">): Instance {
  return composeInstance({ env });
}

/** The token that the store's init has left for its commands. */
export function tokenOf({ world }: Pick<BenchWorld, "world">): string {
  return readFileSync(world.tokenFile, "utf8").trim();
}

/** What a lease of the role `readonly` holds, to make more of its kind. */
export interface LeaseKind {
  readonly services: Services;
  readonly model: LeaseRecord;
}

/** Issues one lease, and reads its record. */
export async function leaseKind(instance: Instance, token: string): Promise<LeaseKind> {
  const core = await instance.core();
  const issued = await instance.handle({ method: "GET", path: CREDS_PATH, token });
  const id = isJsonObject(issued.body) ? issued.body.lease_id : undefined;
  const lease = core === null || typeof id !== "string" ? null : await readLease(core.services, id);
  if (core === null || lease === null) throw new BenchFailed(`no lease: ${JSON.stringify(issued.body)}`);
  return { services: core.services, model: lease.record };
}

/** The store takes 100,000 writes in a batch. */
const LEASES_PER_COMMIT = 20_000;

/**
 * Writes leases as if they had been issued, through the barrier.
 * @param usernameOf - Of each lease's user.
 * @param expiresAt - Milliseconds since the epoch.
 */
export async function addLeases(
  { services, model }: LeaseKind,
  count: number,
  usernameOf: (index: number) => string,
  expiresAt: number,
): Promise<void> {
  for (let start = 0; start < count; start += LEASES_PER_COMMIT) {
    const size = Math.min(LEASES_PER_COMMIT, count - start);
    const records = Array.from({ length: size }, (_, offset): LeaseRecord => {
      const username = usernameOf(start + offset);
      const id = `${CREDS_PATH}/${randomBytes(12).toString("hex")}`;
      return { ...model, id, principal: username, internal: { ...model.internal, username }, expiresAt };
    });
    await services.barrier.commit(records.map((record) => putLease(record, expiresAt, 0)));
  }
}
