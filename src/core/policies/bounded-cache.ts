/** A map that keeps what was used last, as long as the weights of it all stay within a bound. */
export class BoundedCache<V> {
  readonly #weightMax: number;
  readonly #weightOf: (value: V) => number;
  readonly #entries = new Map<string, V>();
  #weight = 0;

  constructor(weightMax: number, weightOf: (value: V) => number) {
    this.#weightMax = weightMax;
    this.#weightOf = weightOf;
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    // A Map iterates in the order of insertion, so the entry used last has to be the one inserted last.
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** The newest entry is kept whatever its weight. */
  set(key: string, value: V): void {
    const present = this.#entries.get(key);
    if (present !== undefined) this.#weight -= this.#weightOf(present);
    this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#weight += this.#weightOf(value);
    for (const [oldest, old] of this.#entries) {
      if (this.#weight <= this.#weightMax || oldest === key) return;
      this.#entries.delete(oldest);
      this.#weight -= this.#weightOf(old);
    }
  }
}
