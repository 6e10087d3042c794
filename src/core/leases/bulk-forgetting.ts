import type { Services } from "../services.ts";
import type { StoredLease } from "./record.ts";
import { forgetLeases, LEASES_OF_A_COMMIT } from "./store.ts";

/** When the first has waited so long, the next to come has all of them forgotten. */
const WAIT_MS_MAX = 1000;

/**
 * Forgets leases many at a time. One that is not forgotten yet when the process is killed is due again, and revoked once more,
 * which does nothing.
 */
export class BulkForgetting {
  readonly #services: Services;
  #gone: StoredLease[] = [];
  #since = 0;

  constructor(services: Services) {
    this.#services = services;
  }

  /** Now or with later ones. */
  async forget(gone: readonly StoredLease[]): Promise<void> {
    const now = this.#services.clock.now();
    if (this.#gone.length === 0) this.#since = now;
    this.#gone.push(...gone);
    if (this.#gone.length >= LEASES_OF_A_COMMIT || now - this.#since > WAIT_MS_MAX) await this.flush();
  }

  /** Forgets what is left. */
  async flush(): Promise<void> {
    const gone = this.#gone;
    this.#gone = [];
    await forgetLeases(this.#services, gone);
  }
}
