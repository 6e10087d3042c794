import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { DueEntry } from "../core/core.ts";

/** The part of the core that the loop drives. */
export interface DueWork {
  claimDue(limit: number): Promise<readonly DueEntry[]>;
  doDue(entries: readonly DueEntry[]): Promise<number>;
  nextDue(): Promise<number | null>;
}

export interface LoopOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the loop; what is under way is finished. */
  readonly signal: AbortSignal;
}

/** Batches in hand at once, so that a database that does not answer holds up only its own leases. */
const BATCHES_MAX = 8;
/** The most entries taken at once; a revocation goes through in one batch of up to this many. */
const BATCH_ENTRIES_MAX = 500;
/** Another process may add an entry that is due sooner than all that are known, so the store is asked at least this often. */
const POLL_MS = 1000;
/** How long to wait after the store itself has failed. */
const STORE_RETRY_MS = 2000;

/** Takes up due work as it becomes due, until the signal. A failing store is waited for; nothing needs a restart. */
export async function runLoop(work: DueWork, { clock, log, signal }: LoopOptions): Promise<void> {
  const running = new Set<Promise<unknown>>();
  while (!signal.aborted) {
    try {
      const started = running.size < BATCHES_MAX && (await startBatch(work, log, running));
      if (!started) await waitForWork(work, running, clock, signal);
    } catch (error) {
      log.error("the store failed; it is tried again", { error: messageOf(error) });
      await clock.sleep(STORE_RETRY_MS, signal);
    }
  }
  if (running.size > 0) log.info("finishing what is under way", { batches: running.size });
  await Promise.all(running);
}

/** False: nothing is due. */
async function startBatch(work: DueWork, log: Log, running: Set<Promise<unknown>>): Promise<boolean> {
  const entries = await work.claimDue(BATCH_ENTRIES_MAX);
  if (entries.length === 0) return false;
  const batch = work
    .doDue(entries)
    .catch((error: unknown) =>
      log.error("due work failed; it is taken up again", { error: messageOf(error) }),
    )
    .finally(() => running.delete(batch));
  running.add(batch);
  return true;
}

async function waitForWork(
  work: DueWork,
  running: ReadonlySet<Promise<unknown>>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  if (running.size >= BATCHES_MAX) {
    await Promise.race(running);
    return;
  }
  const next = await work.nextDue();
  const wait = next === null ? POLL_MS : Math.min(POLL_MS, Math.max(1, next - clock.now()));
  await clock.sleep(wait, signal);
}

/**
 * Does everything that is due now, once.
 * @returns How many entries were done and how many failed; the latter are due again later.
 */
export async function runOnce(work: DueWork, signal: AbortSignal): Promise<{ done: number; failed: number }> {
  let [done, failed] = [0, 0];
  while (!signal.aborted) {
    const entries = await work.claimDue(BATCH_ENTRIES_MAX);
    if (entries.length === 0) break;
    const failures = await work.doDue(entries);
    done += entries.length - failures;
    failed += failures;
  }
  return { done, failed };
}
