const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Signals that ask a long-running command to end; what they interrupt is finished first. */
export class EndingSignals {
  readonly #controller = new AbortController();
  readonly #listeners = ENDING.map((signal) => [signal, () => this.#onSignal(signal)] as const);
  #by: NodeJS.Signals | undefined;

  constructor() {
    for (const [signal, listener] of this.#listeners) process.on(signal, listener);
  }

  /** Aborts with the first of them. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Which it was. */
  get by(): NodeJS.Signals | undefined {
    return this.#by;
  }

  /** They have their usual effect again. */
  close(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
  }

  #onSignal(signal: NodeJS.Signals): void {
    this.#by ??= signal;
    this.#controller.abort();
  }
}
