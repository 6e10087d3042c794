/** Text that goes out in one piece: more would keep the first of its lines waiting. */
const BATCH_CHARS_MAX = 1024 * 1024;

interface Waiting {
  readonly text: string;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Puts texts that come while others are being written together, so that many requests at once share one sync. Texts keep
 * their order; those of one piece succeed or fail together.
 */
export class Batches {
  readonly #send: (text: string) => Promise<void>;
  readonly #waiting: Waiting[] = [];
  /** Ends when nothing is waiting any more. */
  #running: Promise<void> | undefined;

  constructor(send: (text: string) => Promise<void>) {
    this.#send = send;
  }

  add(text: string): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ text, done });
    this.#running ??= this.#run();
    return done.promise;
  }

  /** Resolves when everything that was added has been sent or has failed. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    // What is added in the same turn belongs into the first piece already.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        await this.#send(batch.map(({ text }) => text).join(""));
        for (const { done } of batch) done.resolve();
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
    this.#running = undefined;
  }

  #take(): Waiting[] {
    let chars = 0;
    const end = this.#waiting.findIndex(({ text }, index) => {
      chars += text.length;
      return index > 0 && chars > BATCH_CHARS_MAX;
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }
}
