import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { composeDevInstance, composeInstance, storeDirectoryOf } from "../compose.ts";
import { EXIT } from "../contract/exit-codes.ts";
import { versionLine } from "../contract/version.ts";
import type { Instance } from "../core/instance.ts";
import { systemClock } from "../platform/clock.ts";
import { compileAsUsual } from "../platform/compiling.ts";
import { daemonSocketPath } from "../platform/daemon-socket.ts";
import { type DevOptions, devBanner, initDevStore } from "./dev.ts";
import { dueWorkOf, unsealedCore } from "./due-work.ts";
import { keepHouse } from "./housekeeping.ts";
import { type ListenOptions, type ListenPlan, planListeners } from "./listen-plan.ts";
import { Listeners } from "./listeners.ts";
import { type LineSink, type LogFormat, type LogLevel, lineLog } from "./log.ts";
import { runLoop, runOnce } from "./loop.ts";
import { inheritedSockets, notifyService } from "./systemd.ts";

export interface DaemonOptions extends ListenOptions {
  /** Does what is due now and ends; listens nowhere. */
  readonly once: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly storeDir?: string;
  /** A throw-away store in memory. */
  readonly dev?: DevOptions;
}

export interface DaemonWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: LineSink;
  readonly stderr: LineSink;
  /** Aborts on SIGTERM and SIGINT: nothing new is begun, what is under way is finished. */
  readonly signal: AbortSignal;
  /** Calls back on SIGHUP. */
  onReload(reload: () => void): void;
  /** Keeps a token for this user's later commands. @throws VsecError FILE. */
  rememberToken(token: string): void;
}

/**
 * `vsec daemon`: serves the API, and revokes what has expired, until it is told to stop.
 * @returns The exit code: 0; with `once`, 1 when something that was due failed (it is due again).
 * @throws VsecError LISTEN and USAGE for what it cannot listen on; when there is no store or no key to it, and nobody could
 *   make or unseal one through it.
 */
export async function runDaemonCommand(options: DaemonOptions, world: DaemonWorld): Promise<number> {
  compileAsUsual();
  const log = lineLog(world.stderr, options.logLevel, options.logFormat, systemClock);
  if (options.dev !== undefined) return runDev(options, options.dev, world, log);
  const storeDir = storeDirectoryOf({ env: world.env, ...pick(options.storeDir) });
  const plan = planListeners(options, daemonSocketPath(storeDir));
  const instance = composeInstance({ env: world.env, log, storeDir });
  try {
    if (options.once) return await once(instance, log, world.signal);
    if (plan.sockets.length + plan.tcp.length > 0) {
      await warnUnlessUnsealed(instance, log);
    } else if ((await instance.core()) === null) {
      return refuseSealed(log);
    }
    return await serve({ instance, plan, world, log });
  } finally {
    await instance.close();
  }
}

function pick(storeDir: string | undefined): { readonly storeDir?: string } {
  return storeDir === undefined ? {} : { storeDir };
}

/** The store is opened before anybody can ask, so that a key that is at hand is used once, and a broken store is told now. */
async function warnUnlessUnsealed(instance: Instance, log: Log): Promise<void> {
  if ((await unsealedCore(instance)) !== null) return;
  const { initialized } = await instance.state();
  log.warn(
    initialized
      ? "the store is sealed, and nothing is revoked until it is unsealed: run `vsec operator unseal`"
      : "there is no store yet: run `vsec operator init`",
  );
}

async function runDev(
  options: DaemonOptions,
  dev: DevOptions,
  world: DaemonWorld,
  log: Log,
): Promise<number> {
  const own = dev.listenAddress === undefined ? [] : [dev.listenAddress];
  const listen = [...own, ...(options.listen ?? [])];
  const plan = planListeners({ ...options, listen }, null);
  const instance = await composeDevInstance({ env: world.env, log });
  try {
    const rootToken = await initDevStore(instance, dev);
    const onListening = ({ addresses }: Listeners): void => {
      world.stdout.write(devBanner(addresses, rootToken, versionLine()));
      if (dev.storeToken) world.rememberToken(rootToken);
    };
    return await serve({ instance, plan, world, log, onListening });
  } finally {
    await instance.close();
  }
}

interface Serving {
  readonly instance: Instance;
  readonly plan: ListenPlan;
  readonly world: DaemonWorld;
  readonly log: Log;
  readonly onListening?: (listeners: Listeners) => void;
}

/** Listens and does what is due until the signal; then finishes what is under way. */
async function serve({ instance, plan, world, log, onListening }: Serving): Promise<number> {
  const { clock } = instance;
  const { env, signal } = world;
  const inherited = inheritedSockets(env, process.pid);
  const listeners = await Listeners.open({ plan, inherited, backend: instance, clock, log });
  onListening?.(listeners);
  world.onReload(() => {
    log.info("reloading");
    listeners.reload();
    void reopenAudit(instance, log);
  });
  await notifyService("READY=1", env, log);
  log.info("started", { version: versionLine() });
  const closing = whenAborted(signal).then(() =>
    Promise.all([notifyService("STOPPING=1", env, log), listeners.close()]),
  );
  const work = runLoop(dueWorkOf(instance), { clock, log, signal });
  await Promise.all([work, keepHouse({ instance, log, signal }), closing]);
  log.info("stopped");
  return EXIT.ok.code;
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function once(instance: Instance, log: Log, signal: AbortSignal): Promise<number> {
  const core = await instance.core();
  if (core === null) return refuseSealed(log);
  try {
    const left = await core.endLeasesOfDead();
    if (left.revoked > 0) log.info("ended what dead processes had left", { leases: left.revoked });
    const due = await runOnce(core, signal);
    const failed = due.failed + left.failed;
    log.info("done with what was due", { done: due.done, failed });
    return failed === 0 ? EXIT.ok.code : EXIT.local.code;
  } catch (error) {
    log.error("due work failed", { error: messageOf(error) });
    return EXIT.local.code;
  }
}

/** Nobody could unseal it while this process runs. */
function refuseSealed(log: Log): number {
  log.error("the store is sealed; run `vsec operator unseal`, or set VSEC_PASSPHRASE_FILE");
  return EXIT.local.code;
}

/** Audit files that were rotated are made anew. A sealed store has none open. */
async function reopenAudit(instance: Instance, log: Log): Promise<void> {
  try {
    const failed = await (await unsealedCore(instance))?.services.audit.reopen();
    if (failed !== undefined && failed > 0)
      log.error("audit devices could not be reopened", { count: failed });
  } catch (error) {
    log.error("audit devices could not be reopened", { error: messageOf(error) });
  }
}
