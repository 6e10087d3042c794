import { createSocket } from "node:dgram";
import { connect, type Socket } from "node:net";
import type { Clock } from "../../../base/clock.ts";
import { messageOf, VsecError } from "../../../base/errors.ts";
import { Batches } from "./batches.ts";
import { hostAndPort, type SocketOptions } from "./options.ts";
import type { AuditDevice } from "./port.ts";

type Send = (text: string, signal: AbortSignal) => Promise<void>;

/** Sends lines to a socket, within a time limit: a listener that hangs must not hold requests up for longer. */
export class SocketDevice implements AuditDevice {
  readonly #options: SocketOptions;
  readonly #clock: Clock;
  readonly #batches: Batches;
  #connection: Socket | undefined;

  constructor(options: SocketOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    const send: Send =
      options.type === "udp"
        ? (text, signal) => sendDatagrams(options.address, text, signal)
        : (text, signal) => this.#sendStream(text, signal);
    this.#batches = new Batches((text) => this.#twice(send, text));
  }

  async open(): Promise<void> {
    if (this.#options.type === "udp") return;
    await this.#within(async (signal) => {
      await this.#connected(signal);
    });
  }

  write(lines: string): Promise<void> {
    return this.#batches.add(lines);
  }

  async reopen(): Promise<void> {
    await this.close();
    await this.open();
  }

  async close(): Promise<void> {
    await this.#batches.idle();
    this.#letGo();
  }

  #letGo(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  /** A connection that the listener has ended is noticed by the write that fails; the next one may be good. */
  async #twice(send: Send, text: string): Promise<void> {
    try {
      await this.#within((signal) => send(text, signal));
    } catch {
      this.#letGo();
      await this.#within((signal) => send(text, signal));
    }
  }

  async #within(step: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { address, timeoutMs, type } = this.#options;
    const ended = new AbortController();
    const limit = new AbortController();
    const late = this.#clock.sleep(timeoutMs, ended.signal).then(() => limit.abort());
    try {
      await step(limit.signal);
    } catch (error) {
      const reason = limit.signal.aborted ? `no progress within ${timeoutMs} ms` : messageOf(error);
      throw new VsecError("BACKEND", `cannot write to ${type} socket ${address}: ${reason}`, {
        cause: error,
      });
    } finally {
      ended.abort();
      await late;
    }
  }

  async #connected(signal: AbortSignal): Promise<Socket> {
    const known = this.#connection;
    if (known !== undefined && !known.destroyed && known.writable) return known;
    const { address, type } = this.#options;
    const socket = type === "unix" ? connect({ path: address }) : connect(hostAndPort(address));
    this.#connection = socket;
    // Errors between two writes are met by the next one, which finds the socket destroyed.
    socket.on("error", () => undefined);
    // What a listener says is of no interest, but unread it would keep its end from being noticed.
    socket.resume();
    await settled(signal, socket, (done) => socket.once("connect", () => done()));
    // A command may end while its connection stands.
    socket.unref();
    return socket;
  }

  async #sendStream(text: string, signal: AbortSignal): Promise<void> {
    const socket = await this.#connected(signal);
    await settled(signal, socket, (done) => socket.write(text, "utf8", (error) => done(error ?? undefined)));
  }
}

/** One datagram for each line. */
async function sendDatagrams(address: string, text: string, signal: AbortSignal): Promise<void> {
  const { host, port } = hostAndPort(address);
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  try {
    for (const line of text.split(/(?<=\n)/)) {
      await settled(signal, socket, (done) =>
        socket.send(line, port, host, (error) => done(error ?? undefined)),
      );
    }
  } finally {
    socket.close();
  }
}

interface Failing {
  once(event: "error" | "close", listener: (error?: Error) => void): unknown;
  off(event: "error" | "close", listener: (error?: Error) => void): unknown;
}

/** Waits for `start` to call back; a failing or closing socket and the limit end the wait as well. */
function settled(
  signal: AbortSignal,
  socket: Failing,
  start: (done: (error?: Error) => void) => void,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (error?: Error | Event): void =>
    reject(error instanceof Error ? error : new VsecError("BACKEND", "the connection ended"));
  socket.once("error", fail);
  socket.once("close", fail);
  signal.addEventListener("abort", fail);
  start((error) => (error === undefined ? resolve() : reject(error)));
  return promise.finally(() => {
    socket.off("error", fail);
    socket.off("close", fail);
    signal.removeEventListener("abort", fail);
  });
}
