import type { Instance } from "../compose.ts";

/** A daemon takes up what is due within a second or two; what is overdue for longer has nobody to look after it. */
const OVERDUE_MS = 15_000;
/** The most that one command does for others' leases. */
const ENTRIES_MAX = 50;
const BUDGET_MS = 2000;

/**
 * After its answer a command takes a bounded look for leases that are overdue, so that what has expired ends also where no
 * daemon runs, and for what processes of this machine have left that are gone. With nothing to do it costs two indexed reads.
 */
export async function sweep(instance: Instance): Promise<void> {
  const budget = new AbortController();
  try {
    const core = await instance.core();
    if (core === null) return;
    const { clock } = core.services;
    const limit = clock.sleep(BUDGET_MS, budget.signal);
    await Promise.race([core.endLeasesOfDead().catch(ignore), limit]);
    const next = await core.nextDue();
    if (next === null || next > clock.now() - OVERDUE_MS) return;
    const work = core.claimDue(ENTRIES_MAX).then((entries) => core.doDue(entries));
    await Promise.race([work.catch(ignore), limit]);
  } catch {
    // The command has its answer; what could not be looked after here stays due, and the next command or daemon meets it.
  } finally {
    budget.abort();
  }
}

/** What a sweep could not do stays due. */
function ignore(): undefined {
  return undefined;
}
