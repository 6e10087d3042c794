import type { Clock } from "../base/clock.ts";
import { messageOf, VsecError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { type ApiBackend, apiHandler } from "../http/api-handler.ts";
import { HTTP_LIMITS } from "../http/limits.ts";
import { HttpServer, type HttpServerOptions } from "../http/server.ts";
import { addressText, type ListenPlan, type TcpPlace } from "./listen-plan.ts";
import { isUnixSocket } from "./systemd.ts";
import { readTlsFiles } from "./tls-files.ts";
import { claimSocket, removeSocket, socketIdentity } from "./unix-socket.ts";

export interface ListenersOptions {
  readonly plan: ListenPlan;
  /** Listening sockets that were handed over. */
  readonly inherited: readonly number[];
  readonly backend: ApiBackend;
  readonly clock: Clock;
  readonly log: Log;
}

interface Listener {
  /** `unix:///run/vsec.sock`, `https://127.0.0.1:8200`. */
  readonly address: string;
  readonly server: HttpServer;
  readonly usesTls: boolean;
  /** The file to remove at the end. */
  readonly file?: { readonly path: string; readonly identity: number | undefined };
}

/** Everything that the daemon listens on. */
export class Listeners {
  readonly #options: ListenersOptions;
  readonly #open: Listener[] = [];

  private constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /**
   * Opens every listener of the plan, or none.
   * @throws VsecError LISTEN.
   */
  static async open(options: ListenersOptions): Promise<Listeners> {
    const listeners = new Listeners(options);
    try {
      await listeners.#openAll();
    } catch (error) {
      await listeners.close();
      throw error;
    }
    return listeners;
  }

  get addresses(): readonly string[] {
    return this.#open.map(({ address }) => address);
  }

  async #openAll(): Promise<void> {
    const { plan, inherited, clock, backend, log } = this.#options;
    const now = (): number => clock.now();
    const handler = apiHandler({ backend, log, now, handleMsMax: HTTP_LIMITS.handleMsMax });
    const plain: HttpServerOptions = { handler, limits: HTTP_LIMITS, now };
    const secure = this.#secure(plain);
    for (const fd of inherited) {
      // Over the network these would be plain: TLS is for what -listen names.
      if (!isUnixSocket(fd))
        throw new VsecError("LISTEN", `listen descriptor ${fd}: only unix sockets can be handed over`);
      const server = await opened(`descriptor ${fd}`, HttpServer.open({ fd }, plain));
      this.#add({ address: `descriptor ${fd}`, server, usesTls: false });
    }
    for (const place of inherited.length > 0 ? [] : plan.sockets) {
      const { path } = place;
      const server = await claimSocket(place, clock, () => HttpServer.open({ path }, plain));
      this.#add({
        address: `unix://${path}`,
        server,
        usesTls: false,
        file: { path, identity: socketIdentity(path) },
      });
    }
    for (const place of plan.tcp) {
      const server = await opened(`tcp ${addressText(place)}`, HttpServer.open(place, secure ?? plain));
      this.#add({ address: url(place, server, secure !== undefined), server, usesTls: secure !== undefined });
    }
  }

  #secure(plain: HttpServerOptions): HttpServerOptions | undefined {
    const { plan, log } = this.#options;
    if (plan.tls === undefined) return undefined;
    const onTlsError = (error: Error): void =>
      log.debug("a TLS handshake failed", { error: messageOf(error) });
    return { ...plain, tls: readTlsFiles(plan.tls), onTlsError };
  }

  #add(listener: Listener): void {
    this.#open.push(listener);
    this.#options.log.info("listening", { address: listener.address });
  }

  /** Reads certificates anew. Files that are of no use are told in the log, and the old ones stay in use. */
  reload(): void {
    const { plan, log } = this.#options;
    if (plan.tls === undefined) return;
    try {
      const material = readTlsFiles(plan.tls);
      for (const { server, usesTls } of this.#open) if (usesTls) server.renewTls(material);
      log.info("the certificates were read anew");
    } catch (error) {
      log.error("the certificates could not be read anew; the old ones stay in use", {
        error: messageOf(error),
      });
    }
  }

  /** Accepts nothing more, and waits (within a limit) for the answers that are under way. */
  async close(): Promise<void> {
    // The files go first: whoever comes now finds no daemon, instead of one that does not answer.
    for (const { file } of this.#open) if (file !== undefined) removeSocket(file.path, file.identity);
    await Promise.all(this.#open.map(({ server }) => server.close()));
  }
}

function url(place: TcpPlace, server: HttpServer, isSecure: boolean): string {
  return `${isSecure ? "https" : "http"}://${addressText({ ...place, port: server.port ?? place.port })}`;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "bind: address already in use",
  EACCES: "bind: permission denied",
  EADDRNOTAVAIL: "bind: cannot assign requested address",
  ENOTFOUND: "no such host",
};

/** Gives a failure to listen the system's words in Go's form. */
async function opened(what: string, server: Promise<HttpServer>): Promise<HttpServer> {
  try {
    return await server;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    throw new VsecError("LISTEN", `listen ${what}: ${REASONS[code] ?? messageOf(error)}`, { cause: error });
  }
}
