/** A bound on how much is done at once: work that finds no free slot waits for its turn, first come first served. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param count - How many may be at work at once, 1 or more. */
  constructor(count: number) {
    this.#free = count;
  }

  /** @throws what `work` throws. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The slot goes from hand to hand, so that nobody who comes later gets in between.
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
