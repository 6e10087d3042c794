/** A server over a real instance, whose store is in memory; and sockets that say exactly what a test wants said. */

import { connect, type Socket } from "node:net";
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { Log, LogFields } from "../../src/base/log.ts";
import { composeDevInstance, type Instance } from "../../src/compose.ts";
import type { ApiRequest } from "../../src/contract/wire.ts";
import { type ApiBackend, apiHandler } from "../../src/http/api-handler.ts";
import { HTTP_LIMITS, type HttpLimits } from "../../src/http/limits.ts";
import { HttpServer, type ListenPlace, type TlsMaterial } from "../../src/http/server.ts";
import { temporaryDirectory } from "../servers/process.ts";

/** A line that was logged. */
export interface Logged {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

export function recordingLog(): { readonly log: Log; readonly lines: Logged[] } {
  const lines: Logged[] = [];
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, fields });
    };
  return { lines, log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } };
}

export interface ServedOptions {
  readonly limits?: Partial<HttpLimits>;
  readonly tls?: TlsMaterial;
  /** Instead of an instance. */
  readonly backend?: ApiBackend;
  /** Over TCP instead of a unix socket. */
  readonly tcp?: boolean;
}

/** A server that ends with its scope. */
export interface Served {
  readonly server: HttpServer;
  readonly instance: Instance;
  readonly lines: Logged[];
  /** The socket's path; "" over TCP. */
  readonly path: string;
  readonly port: number;
  /** Root's token, once {@link init} has run. */
  readonly rootToken: string;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function serve(options: ServedOptions = {}): Promise<Served> {
  const directory = temporaryDirectory("vsec-http-");
  const { log, lines } = recordingLog();
  const instance = await composeDevInstance({ env: {}, log });
  const limits = { ...HTTP_LIMITS, ...options.limits };
  const path = options.tcp === true ? "" : `${directory.path}/s`;
  const place: ListenPlace = options.tcp === true ? { host: "127.0.0.1", port: 0 } : { path };
  const now = (): number => instance.clock.now();
  const backend = options.backend ?? instance;
  const server = await HttpServer.open(place, {
    handler: apiHandler({ backend, log, now, handleMsMax: limits.handleMsMax }),
    limits,
    now,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  });
  return {
    server,
    instance,
    lines,
    path,
    port: server.port ?? 0,
    rootToken: options.backend === undefined ? await init(instance) : "",
    async [Symbol.asyncDispose]() {
      await server.close();
      await instance.close();
      directory.remove();
    },
  };
}

async function init(instance: Instance): Promise<string> {
  const { body } = await instance.handle({ method: "PUT", path: "sys/init", body: {} });
  return String((body as JsonObject).root_token);
}

/** A backend that keeps what it is asked, and answers all the same. */
export function echo(): ApiBackend & { readonly requests: ApiRequest[] } {
  const requests: ApiRequest[] = [];
  return {
    requests,
    handle(request) {
      requests.push(request);
      return Promise.resolve({ status: 200, body: { data: null } });
    },
  };
}

/** An answer as it stands on the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** A client that writes bytes and reads what comes back. */
export class RawClient {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #isClosed = false;
  #wake: (() => void) | undefined;

  constructor({ path, port }: Pick<Served, "path" | "port">) {
    this.socket = connect(path === "" ? { host: "127.0.0.1", port } : { path, allowHalfOpen: true });
    this.socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    const close = (): void => {
      this.#isClosed = true;
      this.#wake?.();
    };
    this.socket.on("error", close).on("end", close).on("close", close);
  }

  send(text: string | Buffer): this {
    this.socket.write(text);
    return this;
  }

  /** Everything up to the server's end of the connection. */
  async rest(): Promise<string> {
    return (await this.restBytes()).toString("utf8");
  }

  async restBytes(): Promise<Buffer> {
    while (!this.#isClosed) await this.#more();
    return this.#received;
  }

  /** The next answer, by its length. */
  async answer(): Promise<RawAnswer> {
    for (;;) {
      const parsed = parseAnswer(this.#received);
      if (parsed !== undefined) {
        this.#received = this.#received.subarray(parsed.bytes);
        return parsed.answer;
      }
      if (this.#isClosed)
        throw new TypeError(`the connection ended after ${JSON.stringify(this.#received.toString())}`);
      await this.#more();
    }
  }

  /** Resolves once the server has ended the connection. */
  async closed(): Promise<void> {
    await this.rest();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

function parseAnswer(bytes: Buffer): { answer: RawAnswer; bytes: number } | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 1).trim(),
    ]),
  );
  const length = Number(headers["content-length"] ?? 0);
  if (bytes.length < end + 4 + length) return undefined;
  const text = bytes.toString("utf8", end + 4, end + 4 + length);
  return { answer: { status: Number(first.split(" ")[1]), headers, text }, bytes: end + 4 + length };
}

export interface Asked {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request over a connection of its own. */
export async function ask(
  served: Pick<Served, "path" | "port">,
  method: string,
  target: string,
  { token, headers = {}, body }: Asked = {},
): Promise<RawAnswer & { readonly json: Json }> {
  using client = new RawClient(served);
  const all: Record<string, string> = {
    Host: "localhost",
    Connection: "close",
    ...(token === undefined ? {} : { "X-Vault-Token": token }),
    ...(body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  client.send(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${body ?? ""}`);
  if (method === "HEAD") {
    const [head = ""] = (await client.rest()).split("\r\n\r\n");
    const answer = parseAnswer(Buffer.from(`${head.replace(/\r\nContent-Length: \d+/, "")}\r\n\r\n`))?.answer;
    if (answer === undefined) throw new TypeError("no answer to HEAD");
    return { ...answer, json: null };
  }
  const answer = await client.answer();
  return { ...answer, json: isJson(answer) ? (JSON.parse(answer.text) as Json) : null };
}

function isJson({ headers }: RawAnswer): boolean {
  return headers["content-type"] === "application/json";
}
