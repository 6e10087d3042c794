import type { Socket } from "node:net";
import { ApiError } from "../base/errors.ts";

/** What may lie unread before the socket is told to wait. */
const BUFFERED_BYTES_MAX = 131_072;

/** The connection is gone: there is nobody left to answer. */
export class ConnectionLost extends ApiError {
  constructor() {
    super(400, "the connection was lost");
    this.name = "ConnectionLost";
  }
}

/**
 * A socket's incoming bytes, taken as they are needed. One reader at a time; every read has a deadline, which does not move
 * when bytes trickle in.
 */
export class ByteSource {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #hasEnded = false;
  #isLost = false;
  #isPaused = false;
  #wake: (() => void) | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #isLate = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#push(chunk));
    socket.on("end", () => {
      this.#hasEnded = true;
      this.#wake?.();
    });
    // What went wrong with a connection is its client's affair; the reader learns that it is gone.
    socket.on("error", () => this.#lose());
    socket.on("close", () => this.#lose());
  }

  get hasBytes(): boolean {
    return this.#bytes > 0;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  #lose(): void {
    this.#isLost = true;
    this.#wake?.();
  }

  #push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#wake !== undefined) this.#wake();
    else if (this.#bytes > BUFFERED_BYTES_MAX) this.#pause();
  }

  #pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  /** From now on reads end after `ms` milliseconds with `false`, whatever comes in meanwhile. */
  within(ms: number): void {
    clearTimeout(this.#deadline);
    this.#isLate = false;
    this.#deadline = setTimeout(() => {
      this.#isLate = true;
      this.#wake?.();
    }, ms);
  }

  /** Reads have no deadline any more. */
  unhurried(): void {
    clearTimeout(this.#deadline);
    this.#isLate = false;
  }

  get isLate(): boolean {
    return this.#isLate;
  }

  /**
   * Waits for more bytes than there are.
   * @returns False when no more will come: the client has ended its side, or the deadline has passed.
   * @throws ConnectionLost.
   */
  async more(): Promise<boolean> {
    const before = this.#bytes;
    while (this.#bytes === before) {
      if (this.#isLost) throw new ConnectionLost();
      if (this.#hasEnded || this.#isLate) return false;
      if (this.#isPaused) {
        this.#isPaused = false;
        this.#socket.resume();
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return true;
  }

  /** What has come in, without taking it. */
  peek(): Buffer {
    const [first, second] = this.#chunks;
    if (first === undefined) return Buffer.alloc(0);
    if (second === undefined) return first;
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }

  /** Takes up to `bytes` of what has come in. */
  take(bytes: number): Buffer {
    const whole = this.peek();
    const taken = whole.subarray(0, bytes);
    const rest = whole.subarray(taken.length);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    return taken;
  }
}
