import type { Server as NetServer, Socket } from "node:net";
import type { Server as TlsServer } from "node:tls";
import { answerMessage, refusal } from "./answer.ts";
import { Connection, type ConnectionOptions, type HttpHandler } from "./connection.ts";
import type { HttpLimits } from "./limits.ts";
import type { BodyBudget } from "./read-message.ts";

/** Certificate, key and, where clients must show one, the authority of theirs: PEM texts. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
}

/** Where a server listens: a socket file, an inherited descriptor, or an address (port 0: any free one). */
export type ListenPlace =
  | { readonly path: string }
  | { readonly fd: number }
  | { readonly host: string; readonly port: number };

export interface HttpServerOptions {
  readonly handler: HttpHandler;
  readonly limits: HttpLimits;
  readonly now: () => number;
  /** Absent: plain. */
  readonly tls?: TlsMaterial;
  /** A handshake that failed, for the log. */
  readonly onTlsError?: (error: Error) => void;
}

/** How long a client that is turned away has to read why. */
const LINGER_MS = 1000;
/** So many are turned away with an answer at one time; more are not accepted at all. */
const TURNED_AWAY_MAX = 256;

/**
 * An HTTP/1.1 server. It parses messages itself, because Vault's clients send `LIST`, which the parsers of `node:http` and
 * of Bun refuse, and because a listening descriptor can be handed to a plain socket server only.
 */
export class HttpServer {
  readonly #server: NetServer | TlsServer;
  readonly #options: HttpServerOptions;
  readonly #connections = new Map<Connection, Promise<void>>();
  readonly #budget: BodyBudget = { bytes: 0 };

  private constructor(server: NetServer | TlsServer, options: HttpServerOptions) {
    this.#server = server;
    this.#options = options;
    server.maxConnections = options.limits.connectionsMax + TURNED_AWAY_MAX;
    server.on(options.tls === undefined ? "connection" : "secureConnection", (socket: Socket) =>
      this.#accept(socket),
    );
  }

  /** Listens. @throws what the system says, with its code: EADDRINUSE, EACCES, EADDRNOTAVAIL. */
  static async open(place: ListenPlace, options: HttpServerOptions): Promise<HttpServer> {
    const { tls, onTlsError } = options;
    const server = await (tls === undefined ? plainServer() : tlsServer(tls, options.limits));
    const http = new HttpServer(server, options);
    server.on("tlsClientError", (error: Error, socket: Socket) => {
      // Bun leaves a connection open whose handshake was given up.
      socket.destroy();
      onTlsError?.(error);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(place, () => {
        server.off("error", reject);
        resolve();
      });
    });
    return http;
  }

  /** The port it listens on; undefined for a socket file. */
  get port(): number | undefined {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : undefined;
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Uses this certificate for connections from now on. */
  renewTls(tls: TlsMaterial): void {
    if ("setSecureContext" in this.#server) this.#server.setSecureContext(secureOptions(tls));
  }

  #accept(socket: Socket): void {
    const { limits, now, handler } = this.#options;
    if (this.#connections.size >= limits.connectionsMax) {
      turnAway(socket, now());
      return;
    }
    const options: ConnectionOptions = { handler, limits, now, budget: this.#budget };
    const connection = new Connection(socket, options);
    const served = connection.serve().finally(() => this.#connections.delete(connection));
    this.#connections.set(connection, served);
  }

  /** Accepts nothing more, ends idle connections, and waits for answers that are under way; not longer than the limit. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const connection of this.#connections.keys()) connection.closeSoon();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.limits.shutdownMsMax);
    await Promise.race([Promise.all(this.#connections.values()), late]);
    clearTimeout(timer);
    for (const connection of this.#connections.keys()) connection.destroy();
    await closed;
  }
}

async function plainServer(): Promise<NetServer> {
  const { createServer } = await import("node:net");
  return createServer({ allowHalfOpen: true, noDelay: true });
}

async function tlsServer(tls: TlsMaterial, limits: HttpLimits): Promise<TlsServer> {
  const { createServer } = await import("node:tls");
  return createServer({
    ...secureOptions(tls),
    allowHalfOpen: true,
    noDelay: true,
    handshakeTimeout: limits.headMsMax,
  });
}

function secureOptions({ cert, key, clientCa }: TlsMaterial) {
  return {
    cert,
    key,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  } as const;
}

/** One client too many is told so; what it says is thrown away, since an end with something unread would reach it as a failure. */
function turnAway(socket: Socket, nowMs: number): void {
  const answer = refusal({ status: 503, errors: ["too many connections"] });
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.on("error", () => socket.destroy());
  socket.on("close", () => clearTimeout(timer));
  socket.on("end", () => socket.destroy());
  socket.resume();
  socket.end(answerMessage(answer, { nowMs, keepsAlive: false, withBody: true }));
}
