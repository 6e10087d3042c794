import type { Socket } from "node:net";
import { ApiError } from "../base/errors.ts";
import { answerMessage, type HttpAnswer, refusal } from "./answer.ts";
import { ByteSource, ConnectionLost } from "./byte-source.ts";
import type { RequestHead } from "./head.ts";
import type { HttpLimits } from "./limits.ts";
import { type BodyBudget, readBody, readHead } from "./read-message.ts";

/** A request that has come in whole. */
export interface HttpRequest {
  readonly head: RequestHead;
  readonly body: Buffer;
  /** Absent: over a unix socket. */
  readonly remoteAddress?: string;
}

/** Answers a request. Must not throw. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpAnswer>;

export interface ConnectionOptions {
  readonly handler: HttpHandler;
  readonly limits: HttpLimits;
  readonly budget: BodyBudget;
  readonly now: () => number;
}

/** How long what a refused client still sends is thrown away, so that the refusal reaches it before the end does. */
const LINGER_MS = 2000;

/** One connection: requests one after another, each answered before the next is read. */
export class Connection {
  readonly #socket: Socket;
  readonly #source: ByteSource;
  readonly #options: ConnectionOptions;
  readonly #remoteAddress: string | undefined;
  #isBusy = false;
  #isClosing = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#source = new ByteSource(socket);
    this.#remoteAddress = socket.remoteAddress?.replace(/^::ffff:/, "");
  }

  /** Serves the client until one side has had enough. Never rejects. */
  async serve(): Promise<void> {
    try {
      await this.#serveRequests();
      this.#socket.end();
    } catch (error) {
      if (!(error instanceof ConnectionLost)) await this.#refuse(error);
    } finally {
      this.#source.unhurried();
      this.#socket.destroySoon();
    }
  }

  async #serveRequests(): Promise<void> {
    const { limits } = this.#options;
    for (let isFirst = true; !this.#isClosing; isFirst = false) {
      const head = await readHead(this.#source, isFirst ? limits.headMsMax : limits.idleMsMax, limits);
      if (head === null) return;
      this.#isBusy = true;
      const goesOn = await this.#exchange(head);
      this.#isBusy = false;
      if (!goesOn) return;
    }
  }

  /** @returns Whether another request may follow. */
  async #exchange(head: RequestHead): Promise<boolean> {
    const { handler, limits, budget } = this.#options;
    if (head.expectsContinue && head.framing.kind !== "none") {
      if (head.framing.kind === "length" && head.framing.bytes > limits.bodyBytesMax)
        throw new ApiError(413, "http: request body too large");
      await this.#write("HTTP/1.1 100 Continue\r\n\r\n");
    }
    const body = await readBody(this.#source, head, limits, budget);
    this.#source.unhurried();
    const remoteAddress = this.#remoteAddress;
    const answer = await handler({ head, body, ...(remoteAddress === undefined ? {} : { remoteAddress }) });
    const keepsAlive = head.keepsAlive && !this.#isClosing;
    await this.#answer(answer, keepsAlive, head.method !== "HEAD");
    return keepsAlive;
  }

  #answer(answer: HttpAnswer, keepsAlive: boolean, withBody: boolean): Promise<void> {
    return this.#write(answerMessage(answer, { nowMs: this.#options.now(), keepsAlive, withBody }));
  }

  /** Writes, and waits for a client that is slow to take it; one that takes nothing is dropped. */
  async #write(message: string | Buffer): Promise<void> {
    if (this.#source.isLost) throw new ConnectionLost();
    const socket = this.#socket;
    if (socket.write(message)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.destroy(), this.#options.limits.writeMsMax);
      const done = (): void => {
        clearTimeout(timer);
        socket.off("drain", done);
        socket.off("close", done);
        resolve();
      };
      socket.on("drain", done);
      socket.on("close", done);
    });
  }

  /** Tells a client what was wrong with its message, after which nothing it sends can be understood. */
  async #refuse(error: unknown): Promise<void> {
    const known = error instanceof ApiError ? error : new ApiError(500, "internal error");
    try {
      await this.#answer(refusal(known), false, true);
      this.#socket.end();
      this.#source.within(LINGER_MS);
      while (await this.#source.more()) this.#source.take(Number.POSITIVE_INFINITY);
    } catch (lost) {
      if (!(lost instanceof ConnectionLost)) throw lost;
    }
  }

  /** Ends an idle connection now, and a busy one after its answer. */
  closeSoon(): void {
    this.#isClosing = true;
    if (!this.#isBusy) this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
