import { formatGoDuration } from "../base/duration.ts";
import { VsecError } from "../base/errors.ts";
import { type Json, parseJson } from "../base/json.ts";
import { httpMethod, queryText } from "../contract/http-form.ts";
import { purposeHeaders } from "../contract/lease-headers.ts";
import type { ApiRequest, ApiResponse } from "../contract/wire.ts";
import { type Address, escapePath, parseAddress } from "./address.ts";
import type { Client } from "./client.ts";
import type { Incoming, Outgoing, Transport } from "./exchange.ts";
import { networkReason } from "./network-error.ts";
import { type ClientTls, tlsConnectOptions } from "./tls-options.ts";

export interface HttpClientOptions {
  /** `unix:///path`, `http://host:port`, `https://host:port`. */
  readonly address: string;
  readonly tls?: ClientTls;
  /** Further headers of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The longest that an answer may take, milliseconds. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 60_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);

/**
 * A client of a daemon, over its socket or over the network. Nothing is sent yet.
 * @throws VsecError UNREACHABLE for an address or files that are of no use.
 */
export async function openHttpClient(options: HttpClientOptions): Promise<Client> {
  const address = parseAddress(options.address);
  requireHeaders(options.headers ?? {});
  return new HttpClient(address, options, await transportFor(address, options.tls ?? {}));
}

/** A line break in a header would be the start of another one. */
function requireHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) && /^[\t\x20-\x7e]*$/.test(value)) continue;
    throw new VsecError("UNREACHABLE", `failed to setup Headers[${JSON.stringify(name)}]: not a header`);
  }
}

async function transportFor(address: Address, tls: ClientTls): Promise<Transport> {
  if (address.kind === "unix") return (await import("./unix-transport.ts")).unixTransport;
  const { webTransport } = await import("./web-transport.ts");
  return webTransport(address.isSecure, address.isSecure ? tlsConnectOptions(tls) : {});
}

class HttpClient implements Client {
  readonly #address: Address;
  readonly #options: HttpClientOptions;
  readonly #transport: Transport;

  constructor(address: Address, options: HttpClientOptions, transport: Transport) {
    this.#address = address;
    this.#options = options;
    this.#transport = transport;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    const body =
      request.body === undefined || request.body === null ? undefined : JSON.stringify(request.body);
    const outgoing: Outgoing = {
      address: this.#address,
      method: httpMethod(request.method),
      target: `/v1/${escapePath(request.path)}${queryText(request)}`,
      headers: { ...this.#options.headers, ...headersOf(request, body) },
      body,
    };
    const incoming = await this.#exchange(outgoing);
    const redirected = redirect(outgoing, incoming);
    return answer(redirected === undefined ? incoming : await this.#exchange(redirected));
  }

  url(path: string): string {
    return `${this.#address.text}/v1/${escapePath(path)}`;
  }

  close(): Promise<void> {
    // Every request has a connection of its own, which ends with it.
    return Promise.resolve();
  }

  async #exchange(outgoing: Outgoing): Promise<Incoming> {
    const { address } = outgoing;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const { incoming, abort } = this.#transport(outgoing);
    const timer = setTimeout(
      () => reject(unanswered(outgoing, "context deadline exceeded")),
      this.#options.timeoutMs ?? TIMEOUT_MS,
    );
    const failed = incoming.catch((error: unknown) => {
      const serverName = this.#options.tls?.serverName ?? (address.kind === "tcp" ? address.host : "");
      throw unanswered(outgoing, networkReason(error, address, serverName), error);
    });
    try {
      return await Promise.race([failed, late]);
    } catch (error) {
      abort();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function headersOf(request: ApiRequest, body: string | undefined): Record<string, string> {
  const type = request.method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const { token, wrapTtlSeconds = 0, leaseFor } = request;
  return {
    "X-Vault-Request": "true",
    ...(token === undefined ? {} : { "X-Vault-Token": token }),
    ...(wrapTtlSeconds > 0 ? { "X-Vault-Wrap-TTL": formatGoDuration(wrapTtlSeconds) } : {}),
    ...(leaseFor === undefined ? {} : purposeHeaders(leaseFor)),
    ...(body === undefined
      ? {}
      : { "Content-Type": type, "Content-Length": String(Buffer.byteLength(body)) }),
  };
}

/**
 * The request to send where the first answer points to; undefined when it is the answer.
 * @throws VsecError UNREACHABLE for a way from https to http, where the token would be seen.
 */
function redirect(outgoing: Outgoing, { status, location }: Incoming): Outgoing | undefined {
  if (!REDIRECTS.has(status) || location === undefined || outgoing.address.kind === "unix") return undefined;
  const from = `${outgoing.address.text}${outgoing.target}`;
  if (!URL.canParse(location, from)) return undefined;
  const to = new URL(location, from);
  if (outgoing.address.isSecure && to.protocol !== "https:")
    throw unanswered(outgoing, "redirect would cause protocol downgrade");
  // Only the plain client's module is loaded when the address was plain.
  if (!outgoing.address.isSecure && to.protocol === "https:")
    throw unanswered(outgoing, `the daemon is at ${to.origin}; give that as the address`);
  return { ...outgoing, address: parseAddress(to.origin), target: `${to.pathname}${to.search}` };
}

/** The failure of a request that got no answer, in Go's form: `Get "https://…": …`. */
function unanswered({ method, address, target }: Outgoing, reason: string, cause?: unknown): VsecError {
  const verb = `${method.slice(0, 1)}${method.slice(1).toLowerCase()}`;
  return new VsecError("UNREACHABLE", `${verb} "${address.text}${target}": ${reason}`, { cause });
}

/** What is no JSON stays a text, for the message that shows it. */
function answer({ status, text }: Incoming): ApiResponse {
  return { status, body: text.trim() === "" ? null : jsonOr(text) };
}

function jsonOr(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}
