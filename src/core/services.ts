import type { Barrier } from "../barrier/port.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Processes } from "../base/processes.ts";
import type { Random } from "../base/random.ts";
import type { AuditBroker } from "./audit/broker.ts";
import type { Metrics } from "./metrics.ts";
import type { Mounts } from "./mounts/mounts.ts";

/** What every part of the unsealed core works with. */
export interface Services {
  readonly barrier: Barrier;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly mounts: Mounts;
  readonly audit: AuditBroker;
  readonly metrics: Metrics;
  readonly processes: Processes;
}
