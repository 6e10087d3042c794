import { messageOf } from "../base/errors.ts";
import { composeInstance } from "../compose.ts";
import { EXIT } from "../contract/exit-codes.ts";
import { versionLine } from "../contract/version.ts";
import type { Core } from "../core/core.ts";
import { systemClock } from "../platform/clock.ts";
import { keepHouse } from "./housekeeping.ts";
import { type LineSink, type LogFormat, type LogLevel, lineLog } from "./log.ts";
import { runLoop, runOnce } from "./loop.ts";

export interface DaemonOptions {
  /** Does what is due now and ends. */
  readonly once: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly storeDir?: string;
}

export interface DaemonWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: LineSink;
  /** Aborts on SIGTERM and SIGINT: nothing new is begun, what is under way is finished. */
  readonly signal: AbortSignal;
}

/**
 * `vsec daemon`: revokes what has expired, until it is told to stop.
 * @returns The exit code: 0; with `once`, 1 when something that was due failed (it is due again).
 * @throws VsecError when there is no store, or no key to it.
 */
export async function runDaemonCommand(options: DaemonOptions, world: DaemonWorld): Promise<number> {
  const { clock, instance, log } = composeDaemon(options, world);
  try {
    const core = await instance.core();
    if (core === null) {
      log.error("the store is sealed; run `vsec operator unseal`, or set VSEC_PASSPHRASE_FILE");
      return EXIT.remote.code;
    }
    if (options.once) return await once(core, world.signal);
    log.info("started", { version: versionLine() });
    await Promise.all([
      runLoop(core, { clock, log, signal: world.signal }),
      keepHouse(core, clock, world.signal),
    ]);
    log.info("stopped");
    return EXIT.ok.code;
  } finally {
    await instance.close();
  }
}

function composeDaemon({ logLevel, logFormat, storeDir }: DaemonOptions, { env, stderr }: DaemonWorld) {
  const log = lineLog(stderr, logLevel, logFormat, systemClock);
  const instance = composeInstance({ env, log, ...(storeDir === undefined ? {} : { storeDir }) });
  return { instance, log, clock: instance.clock };
}

async function once(core: Core, signal: AbortSignal): Promise<number> {
  const { log } = core.services;
  try {
    const { done, failed } = await runOnce(core, signal);
    log.info("done with what was due", { done, failed });
    return failed === 0 ? EXIT.ok.code : EXIT.local.code;
  } catch (error) {
    log.error("due work failed", { error: messageOf(error) });
    return EXIT.local.code;
  }
}
