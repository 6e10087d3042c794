import type { Clock } from "../../base/clock.ts";
import type { OutputStream } from "../../platform/child/child.ts";
import { OutputFull, ReaderGone, writeBytes } from "../../platform/child/write.ts";
import { maskForms } from "./mask-forms.ts";
import { Masker } from "./masker.ts";

/** How long so little of a secret's beginning is held back that it gives nothing away: a prompt may end with it. */
const IDLE_MS = 30;
const IDLE_BYTES_MAX = 3;

/** What a command writes, on its way to our own streams, with its secrets masked. */
export class MaskedOutput {
  readonly #streams: Readonly<Record<OutputStream, MaskedStream>>;

  constructor(clock: Clock) {
    this.#streams = { stdout: new MaskedStream(1, clock), stderr: new MaskedStream(2, clock) };
  }

  /** Has these masked from now on as well. */
  add(secrets: readonly string[]): void {
    const forms = secrets.flatMap(maskForms);
    for (const stream of Object.values(this.#streams)) stream.masker.add(forms);
  }

  /** Takes a piece. @see ChildOptions.consume */
  consume(stream: OutputStream, bytes: Uint8Array): Promise<void> | void {
    return this.#streams[stream].write(bytes);
  }

  /** Writes what is held back: nothing follows that could make it a secret. */
  async end(): Promise<void> {
    for (const stream of Object.values(this.#streams)) await stream.end();
  }

  /** Why output was lost, if any was for want of space. */
  get lost(): string | undefined {
    return this.#streams.stdout.lost ?? this.#streams.stderr.lost;
  }
}

class MaskedStream {
  readonly masker = new Masker();
  readonly #descriptor: 1 | 2;
  readonly #clock: Clock;
  lost: string | undefined;
  /** Counts pieces, so that a pause is known as one. */
  #pieces = 0;

  constructor(descriptor: 1 | 2, clock: Clock) {
    this.#descriptor = descriptor;
    this.#clock = clock;
  }

  write(bytes: Uint8Array): Promise<void> | void {
    this.#pieces += 1;
    const shown = this.masker.write(bytes);
    if (this.masker.held > 0 && this.masker.held <= IDLE_BYTES_MAX) void this.#flushWhenIdle();
    return writeBytes(this.#descriptor, shown)?.catch((error: unknown) => {
      this.#note(error);
      throw error;
    });
  }

  async end(): Promise<void> {
    try {
      await writeBytes(this.#descriptor, this.masker.flush());
    } catch (error) {
      this.#note(error);
      if (!(error instanceof ReaderGone || error instanceof OutputFull)) throw error;
    }
  }

  #note(error: unknown): void {
    if (error instanceof OutputFull) this.lost ??= error.message;
  }

  async #flushWhenIdle(): Promise<void> {
    const pieces = this.#pieces;
    await this.#clock.sleep(IDLE_MS);
    if (pieces === this.#pieces) await this.end();
  }
}
