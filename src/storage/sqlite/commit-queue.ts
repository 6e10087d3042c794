import type { Write } from "../port.ts";

/** What became of one commit of several: the versions of its puts, or why nothing of it was written. */
export type CommitOutcome = readonly number[] | Error;

interface Waiting {
  readonly writes: readonly Write[];
  readonly resolve: (versions: readonly number[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits that come in the same turn of the event loop go to disk together: a flush takes as long for many as for one, and
 * while it lasts this thread does nothing else. Each is still all or nothing by itself, in the order in which they came.
 */
export class CommitQueue {
  readonly #commitAll: (batches: readonly (readonly Write[])[]) => readonly CommitOutcome[];
  #waiting: Waiting[] = [];

  /** @param commitAll - Commits all of them in one transaction; what it throws is every one's failure. */
  constructor(commitAll: (batches: readonly (readonly Write[])[]) => readonly CommitOutcome[]) {
    this.#commitAll = commitAll;
  }

  /** @returns The versions of its puts, once they are on disk. @throws Its own refusal, or the failure of all. */
  add(writes: readonly Write[]): Promise<readonly number[]> {
    // What else has arrived already is handled before this comes about.
    if (this.#waiting.length === 0) setImmediate(() => this.flush());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ writes, resolve, reject });
    });
  }

  /** Commits at once what waits. Never throws. */
  flush(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length === 0) return;
    try {
      const outcomes = this.#commitAll(batch.map(({ writes }) => writes));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[index] ?? [];
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
