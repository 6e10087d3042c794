import type { Write } from "../../barrier/port.ts";
import type { Services } from "../services.ts";
import { BulkForgetting } from "./bulk-forgetting.ts";
import { endLease, endLeases, lostOf, type Outcome, outcomeOf, sumOf } from "./end.ts";
import type { StoredLease } from "./record.ts";
import { endingRecord, revokeTaken } from "./revoke.ts";

/** What is to be ended of a page of leases. */
export interface Ending {
  readonly leases: readonly StoredLease[];
  /** The page's. Undefined: it has other leases as well. */
  readonly swath: string | undefined;
}

/**
 * Ends leases many at a time, for a revocation that has an entry of its own to see to it that it is finished. That entry stands
 * in for the commit by which a lease is taken otherwise: an active lease has no creator at work, whoever renews it while its
 * secret goes makes its forgetting fail, and it is ended once more; and if the process is killed, leases that were not forgotten
 * yet are met again, and revoked once more, which does nothing.
 */
export class BulkEnding {
  readonly #services: Services;
  readonly #forgetting: BulkForgetting;

  private constructor(services: Services, forgetting: BulkForgetting) {
    this.#services = services;
    this.#forgetting = forgetting;
  }

  /** To be called before the first page is read. */
  static async begin(services: Services): Promise<BulkEnding> {
    return new BulkEnding(services, await BulkForgetting.begin(services));
  }

  /** Those that are gone are forgotten with later ones. */
  async end({ leases, swath }: Ending): Promise<Outcome> {
    const now = this.#services.clock.now();
    const isActive = ({ record }: StoredLease): boolean => record.state === "active";
    const ending = leases
      .filter(isActive)
      .map(({ record, version }) => ({ record: endingRecord(record, now), version }));
    const gone: StoredLease[] = [];
    const result = await revokeTaken(this.#services, ending, async (some) => {
      gone.push(...some);
    });
    const outcomes = [outcomeOf(result)];
    for (const { record } of lostOf(ending, result))
      outcomes.push(outcomeOf(await endLease(this.#services, record.id)));
    const others = leases.filter((lease) => !isActive(lease));
    if (others.length > 0) outcomes.push(await endLeases(this.#services, others));
    await this.#forgetting.add(gone, swath);
    return sumOf(outcomes);
  }

  /**
   * Forgets what is left.
   * @param last - Goes into the same commit.
   * @returns What is to be added to the outcomes so far.
   */
  async finish(last: readonly Write[] = []): Promise<Outcome> {
    const lost = await this.#forgetting.finish(last);
    const outcomes: Outcome[] = [{ revoked: -lost.length, failed: [] }];
    for (const { record } of lost) outcomes.push(outcomeOf(await endLease(this.#services, record.id)));
    return sumOf(outcomes);
  }
}
