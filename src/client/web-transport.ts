import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { VsecError } from "../base/errors.ts";
import type { Address } from "./address.ts";
import { ANSWER_BYTES_MAX, type Exchange, type Incoming, type Transport } from "./exchange.ts";
import type { TlsConnect } from "./tls-options.ts";

type Send = (options: RequestOptions & TlsConnect) => ClientRequest;

/** Requests over TCP: HTTPS, or plain HTTP. Only the module that is needed is loaded. */
export async function webTransport(isSecure: boolean, tls: TlsConnect): Promise<Transport> {
  const send: Send = isSecure
    ? await import("node:https").then(
        ({ request }) =>
          (options) =>
            request(options),
      )
    : await import("node:http").then(
        ({ request }) =>
          (options) =>
            request(options),
      );
  return ({ address, method, target, headers, body }) => {
    const { promise, resolve, reject } = Promise.withResolvers<Incoming>();
    const path = address.kind === "tcp" ? `${address.prefix}${target}` : target;
    const request = send({ ...placeOf(address), ...tls, method, path, headers, agent: false });
    request.on("error", reject);
    request.on("response", (response) => {
      readAnswer(response).then(resolve, reject);
    });
    request.end(body);
    const abort = (): void => void request.destroy();
    return { incoming: promise, abort } satisfies Exchange;
  };
}

function placeOf(address: Address): RequestOptions {
  return address.kind === "unix" ? { socketPath: address.path } : { host: address.host, port: address.port };
}

async function readAnswer(response: IncomingMessage): Promise<Incoming> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const part = chunk as Buffer;
    bytes += part.length;
    if (bytes > ANSWER_BYTES_MAX)
      throw new VsecError("UNREACHABLE", `the answer is larger than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(part);
  }
  const status = response.statusCode ?? 0;
  return { status, bytes: Buffer.concat(chunks), location: response.headers.location };
}
