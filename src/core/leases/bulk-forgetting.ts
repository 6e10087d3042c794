import type { Write } from "../../barrier/port.ts";
import type { Services } from "../services.ts";
import type { StoredLease } from "./record.ts";
import { forgetLeases, readLease } from "./store.ts";

/** How many leases one commit forgets: it writes each page of the store that it touches once, and many leases touch the same ones. */
const LEASES_OF_A_COMMIT = 3000;

/** When the first that is gone has waited so long, the next to come has all of them forgotten. */
const WAIT_MS_MAX = 1000;

/**
 * Forgets leases many at a time. Where all leases of a stretch of the store have been dealt with, the store is told so in one word,
 * and what somebody wrote since the beginning stays; the others are named one by one.
 */
export class BulkForgetting {
  readonly #services: Services;
  /** The latest version when this began: whatever is read afterwards includes all that has this one or a lesser one. */
  readonly #version: number;
  #swaths: string[] = [];
  #inSwaths: StoredLease[] = [];
  #others: StoredLease[] = [];
  #since = 0;
  readonly #lost: StoredLease[] = [];

  private constructor(services: Services, version: number) {
    this.#services = services;
    this.#version = version;
  }

  /** To be called before the first lease is read. */
  static async begin(services: Services): Promise<BulkForgetting> {
    return new BulkForgetting(services, await services.barrier.writes());
  }

  /**
   * @param gone - Their secrets are gone; they are forgotten with later ones.
   * @param swath - Of the page that they are from, if no other lease of it is left as it was read.
   */
  async add(gone: readonly StoredLease[], swath: string | undefined): Promise<void> {
    const now = this.#services.clock.now();
    if (this.#inSwaths.length + this.#others.length === 0) this.#since = now;
    const isSwept = ({ version }: StoredLease): boolean => swath !== undefined && version <= this.#version;
    if (swath !== undefined) this.#swaths.push(swath);
    for (const lease of gone) (isSwept(lease) ? this.#inSwaths : this.#others).push(lease);
    if (this.#inSwaths.length + this.#others.length >= LEASES_OF_A_COMMIT || now - this.#since > WAIT_MS_MAX)
      await this.#flush([]);
  }

  /**
   * Forgets what is left.
   * @param last - Goes into the last commit.
   * @returns Those of all that somebody changed meanwhile: they stay.
   */
  async finish(last: readonly Write[]): Promise<readonly StoredLease[]> {
    await this.#flush(last);
    return this.#lost;
  }

  async #flush(last: readonly Write[]): Promise<void> {
    const [swaths, inSwaths, others] = [this.#swaths, this.#inSwaths, this.#others];
    this.#swaths = [];
    this.#inSwaths = [];
    this.#others = [];
    const deleted = await this.#services.barrier.sweep(swaths, this.#version);
    if (deleted < inSwaths.length) this.#lost.push(...(await this.#leftOf(inSwaths)));
    // In the order in which they were written, which is how the store has them side by side.
    const ordered = others.toSorted((one, other) => one.version - other.version);
    this.#lost.push(...(await forgetLeases(this.#services, ordered, last)));
  }

  /** Those of the leases that are still there. */
  async #leftOf(leases: readonly StoredLease[]): Promise<StoredLease[]> {
    const left: StoredLease[] = [];
    for (const lease of leases)
      if ((await readLease(this.#services, lease.record.id)) !== null) left.push(lease);
    return left;
  }
}
