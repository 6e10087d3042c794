import type { Barrier, StoredEntry } from "../barrier/port.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { noProcesses, type Processes } from "../base/processes.ts";
import { type Random, randomString } from "../base/random.ts";
import type { ApiRequest, ApiResponse } from "../contract/wire.ts";
import type { AuthType } from "../framework/auth.ts";
import type { EngineType, PathSpec } from "../framework/backend.ts";
import { AuditBroker } from "./audit/broker.ts";
import type { Console } from "./audit/devices/port.ts";
import { Builtins } from "./builtins.ts";
import { OWNER_DUE_MS_MAX } from "./leases/owner-keys.ts";
import { Metrics } from "./metrics.ts";
import { Mounts } from "./mounts/mounts.ts";
import { handle } from "./pipeline.ts";
import type { Services } from "./services.ts";

/** Something that is due, claimed by one worker. */
export type DueEntry = StoredEntry;

export interface CoreDeps {
  readonly barrier: Barrier;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly engines: readonly EngineType[];
  /** Whose end ends leases that are for a process; none unless given. */
  readonly processes?: Processes;
  readonly authMethods?: readonly AuthType[];
  /** Where audit devices of type stdout write; this process's standard output unless given. */
  readonly console?: Console | undefined;
  /** Paths below `sys/` that also answer while the store is sealed. */
  readonly sealPaths: readonly PathSpec[];
}

/** The unsealed core: everything that requests and due work need. */
export class Core {
  readonly services: Services;
  readonly #owner: string;

  constructor(deps: CoreDeps) {
    const { barrier, clock, random, log, engines } = deps;
    const builtins = new Builtins({
      "sys/": async () => (await import("./system/backend.ts")).systemBackend(this.services, deps.sealPaths),
      "auth/token/": async () => {
        const { tokenIdentity } = await import("./identity/login.ts");
        return (await import("./tokens/backend.ts")).tokenBackend(
          this.services,
          tokenIdentity(this.services),
        );
      },
      "cubbyhole/": async () => (await import("./cubbyhole/backend.ts")).cubbyholeBackend(this.services),
      "identity/": async () => (await import("./identity/backend.ts")).identityBackend(this.services),
    });
    const { authMethods = [] } = deps;
    const mounts = new Mounts({ barrier, clock, random, log, engines, authMethods, builtins });
    const { console } = deps;
    const audit = new AuditBroker({ barrier, clock, random, log }, console === undefined ? {} : { console });
    const metrics = new Metrics(clock.now());
    const { processes = noProcesses } = deps;
    this.services = { barrier, clock, random, log, mounts, audit, metrics, processes };
    this.#owner = randomString(random, 16);
  }

  handle(request: ApiRequest): Promise<ApiResponse> {
    return handle(this.services, request);
  }

  /** Takes up to `limit` entries that are due, for {@link Core.doDue}. */
  async claimDue(limit: number): Promise<readonly DueEntry[]> {
    const { claimDue } = await import("./due.ts");
    return claimDue(this.services, this.#owner, limit);
  }

  /** Does what is due. @returns How many of the entries failed and are due again later. */
  async doDue(entries: readonly DueEntry[]): Promise<number> {
    const { doDue } = await import("./due.ts");
    return doDue(this.services, entries);
  }

  /** Revokes what processes of this machine that are gone have left. @returns How many leases failed; they are due again. */
  async endLeasesOfDead(): Promise<{ revoked: number; failed: number }> {
    const next = await this.nextDue();
    if (next === null || next > this.services.clock.now() + OWNER_DUE_MS_MAX)
      return { revoked: 0, failed: 0 };
    const { endLeasesOfDead } = await import("./leases/owner.ts");
    const { revoked, failed } = await endLeasesOfDead(this.services);
    return { revoked: revoked.length, failed: failed.length };
  }

  /** When something is due next, milliseconds since the epoch. Null: never, as things stand. */
  nextDue(): Promise<number | null> {
    return this.services.barrier.nextDue();
  }

  async close(): Promise<void> {
    await this.services.audit.close();
    await this.services.mounts.close();
  }
}
