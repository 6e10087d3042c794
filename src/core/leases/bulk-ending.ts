import type { Write } from "../../barrier/port.ts";
import type { Services } from "../services.ts";
import { endLease, endLeases, lostOf, type Outcome, outcomeOf, sumOf } from "./end.ts";
import type { StoredLease } from "./record.ts";
import { endingRecord, revokeTaken } from "./revoke.ts";
import { forgetLeases, LEASES_OF_A_COMMIT } from "./store.ts";

/** When the first that is gone has waited so long, the next to come has all of them forgotten. */
const WAIT_MS_MAX = 1000;

/**
 * Ends leases many at a time, for a revocation that has an entry of its own to see to it that it is finished. That entry stands
 * in for the commit by which a lease is taken otherwise: an active lease has no creator at work, whoever renews it while its
 * secret goes makes its forgetting fail, and it is ended once more; and if the process is killed, leases that were not forgotten
 * yet are met again, and revoked once more, which does nothing.
 */
export class BulkEnding {
  readonly #services: Services;
  #gone: StoredLease[] = [];
  #since = 0;
  /** Revoked, and changed by somebody before they could be forgotten. */
  readonly #lost: StoredLease[] = [];

  constructor(services: Services) {
    this.#services = services;
  }

  /** Those that are gone are forgotten with later ones. */
  async end(leases: readonly StoredLease[]): Promise<Outcome> {
    const now = this.#services.clock.now();
    const isActive = ({ record }: StoredLease): boolean => record.state === "active";
    const ending = leases
      .filter(isActive)
      .map(({ record, version }) => ({ record: endingRecord(record, now), version }));
    const result = await revokeTaken(this.#services, ending, (gone) => this.#forget(gone));
    const outcomes = [outcomeOf(result)];
    for (const { record } of lostOf(ending, result))
      outcomes.push(outcomeOf(await endLease(this.#services, record.id)));
    const others = leases.filter((lease) => !isActive(lease));
    if (others.length > 0) outcomes.push(await endLeases(this.#services, others));
    return sumOf(outcomes);
  }

  /**
   * Forgets what is left.
   * @param last - Goes into the same commit.
   * @returns What is to be added to the outcomes so far.
   */
  async finish(last: readonly Write[] = []): Promise<Outcome> {
    await this.#flush(last);
    const outcomes: Outcome[] = [{ revoked: -this.#lost.length, failed: [] }];
    for (const { record } of this.#lost) outcomes.push(outcomeOf(await endLease(this.#services, record.id)));
    return sumOf(outcomes);
  }

  async #forget(gone: readonly StoredLease[]): Promise<void> {
    const now = this.#services.clock.now();
    if (this.#gone.length === 0) this.#since = now;
    this.#gone.push(...gone);
    if (this.#gone.length >= LEASES_OF_A_COMMIT || now - this.#since > WAIT_MS_MAX) await this.#flush([]);
  }

  async #flush(last: readonly Write[]): Promise<void> {
    const gone = this.#gone;
    this.#gone = [];
    // In the order in which they were written, which is how the store has them side by side.
    const ordered = gone.toSorted((one, other) => one.version - other.version);
    this.#lost.push(...(await forgetLeases(this.#services, ordered, last)));
  }
}
