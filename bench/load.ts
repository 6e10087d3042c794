/** A client that asks over connections that stay open, and takes the time of each answer. */
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { BenchFailed, type Candidate, interleave, median, quantile } from "./measure.ts";
import { formatRate, type Row } from "./report.ts";

/** A unix socket; or a port of 127.0.0.1 with TLS. */
export type Place = { readonly path: string } | { readonly port: number; readonly ca: string };

const END_OF_HEAD = "\r\n\r\n";

export class LoadConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #settle: { resolve(): void; reject(error: Error): void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error) => this.#settle?.reject(error));
    socket.on("close", () => this.#settle?.reject(new BenchFailed("the connection was closed")));
  }

  static async open(place: Place): Promise<LoadConnection> {
    const socket = "path" in place ? connectPlain(place) : connectTls({ host: "127.0.0.1", ...place });
    await new Promise<void>((resolve, reject) => {
      socket.once("path" in place ? "connect" : "secureConnect", resolve);
      socket.once("error", reject);
    });
    socket.setNoDelay(true);
    return new LoadConnection(socket);
  }

  /** Sends a request, and waits for the whole of its answer. @throws BenchFailed for any status but 200. */
  ask(message: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(message);
    });
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const end = this.#received.indexOf(END_OF_HEAD);
    if (end === -1) return;
    const head = this.#received.toString("latin1", 0, end);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#received.length < end + END_OF_HEAD.length + length) return;
    const settle = this.#settle;
    if (head.startsWith("HTTP/1.1 200 ")) settle?.resolve();
    else settle?.reject(new BenchFailed(this.#received.toString("utf8")));
    this.#received = Buffer.alloc(0);
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }
}

export function openConnections(place: Place, count: number): Promise<LoadConnection[]> {
  return Promise.all(Array.from({ length: count }, () => LoadConnection.open(place)));
}

/** A GET as a client sends it. @param path - Below `/v1/`. */
export function getMessage(path: string, token?: string): string {
  const known = token === undefined ? "" : `X-Vault-Token: ${token}\r\n`;
  return `GET /v1/${path} HTTP/1.1\r\nHost: localhost\r\nX-Vault-Request: true\r\n${known}\r\n`;
}

/** A PUT with a JSON body. @param path - Below `/v1/`. */
export function putMessage(path: string, body: object, token: string): string {
  const text = JSON.stringify(body);
  const head = `X-Vault-Token: ${token}\r\nX-Vault-Request: true\r\nContent-Length: ${Buffer.byteLength(text)}`;
  return `PUT /v1/${path} HTTP/1.1\r\nHost: localhost\r\n${head}\r\n\r\n${text}`;
}

/** Does one piece of work and waits for its end. @param index - Counts up over all clients. */
export type Client = (index: number) => unknown;

/** Clients that each have a connection of their own. @param messages - Taken in turns. */
export function clientsOf(
  connections: readonly LoadConnection[],
  messages: readonly string[],
): readonly Client[] {
  return connections.map((connection) => (index) => connection.ask(messages[index % messages.length] ?? ""));
}

/**
 * Has so many pieces of work done by all clients together, each beginning another as soon as one is done.
 * @returns Milliseconds of each piece.
 */
export async function drive(clients: readonly Client[], count: number): Promise<number[]> {
  const took: number[] = [];
  let begun = 0;
  const drain = async (client: Client): Promise<void> => {
    while (begun < count) {
      const index = begun;
      begun += 1;
      const start = performance.now();
      await client(index);
      took.push(performance.now() - start);
    }
  };
  await Promise.all(clients.map(drain));
  return took;
}

/** Work that is done again and again, in turns with other work. */
export interface Load {
  readonly label: string;
  readonly clients: readonly Client[];
  /** Pieces of work of one turn. */
  readonly pieces: number;
  close(): void;
}

/** A load of one message, over so many connections. */
export async function messageLoad(
  label: string,
  place: Place,
  message: string,
  { pieces, connections: count }: { readonly pieces: number; readonly connections: number },
): Promise<Load> {
  const connections = await openConnections(place, count);
  const close = (): void => {
    for (const connection of connections) connection.close();
  };
  return { label, clients: clientsOf(connections, [message]), pieces, close };
}

/** Measures loads in turns, and closes them. @returns Pieces a second of each, in order, and a row for each. */
export async function measureLoads(
  loads: readonly Load[],
  rounds: number,
): Promise<{ readonly rates: readonly number[]; readonly rows: readonly Row[] }> {
  const took: number[][] = loads.map(() => []);
  const candidates = loads.map(({ label, clients, pieces }, index): Candidate => {
    const run = async (): Promise<void> => {
      for (const ms of await drive(clients, pieces)) took[index]?.push(ms);
    };
    return { label, turn: () => ({ run }) };
  });
  try {
    const samples = await interleave(candidates, rounds);
    const rates = loads.map(({ pieces }, index) => pieces / (median(samples[index] ?? []) / 1000));
    const rows = loads.map(({ label }, index): Row => {
      const sorted = (took[index] ?? []).toSorted((a, b) => a - b);
      const [p50, p99] = [quantile(sorted, 0.5), quantile(sorted, 0.99)].map((ms) => `${ms.toFixed(2)} ms`);
      return { what: label, value: `${formatRate(rates[index] ?? 0)}, p50 ${p50}, p99 ${p99}` };
    });
    return { rates, rows };
  } finally {
    for (const load of loads) load.close();
  }
}
