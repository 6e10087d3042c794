import type { ClientRequest, IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";
import { messageOf } from "../../../../base/errors.ts";
import { AcmeProblem } from "../problem.ts";
import { addressesOf } from "./addresses.ts";
import type { Proof } from "./proof.ts";

const REDIRECTS_MAX = 5;
/** A key authorization has fewer than 100. */
const BODY_BYTES_MAX = 1024;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Fetches the key authorization over HTTP (RFC 8555 section 8.3). Redirects are followed to the usual ports only; an HTTPS
 * server's certificate is not looked at, since it may be the one that is to be replaced.
 * @throws AcmeProblem
 */
export async function validateHttp01(proof: Proof): Promise<void> {
  const { identifier, token, config } = proof;
  const host = isIPv6(identifier.value) ? `[${identifier.value}]` : identifier.value;
  let url = new URL(`http://${host}:${config.http01_port}/.well-known/acme-challenge/${token}`);
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const answer = await fetchOnce(url, proof, redirects > 0);
    if (answer.location === null) {
      checkAnswer(answer, proof);
      return;
    }
    url = redirected(answer.location, url, config.http01_port);
  }
  throw new AcmeProblem("connection", `more than ${REDIRECTS_MAX} redirects`);
}

interface Answer {
  readonly status: number;
  readonly body: string;
  /** Where it redirects to; null: it does not. */
  readonly location: string | null;
}

function redirected(location: string, from: URL, httpPort: number): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : null;
  const port = to?.port === "" ? null : Number(to?.port);
  const isHttp = to?.protocol === "http:" && (port === null || port === httpPort);
  const isHttps = to?.protocol === "https:" && port === null;
  if (to === null || !(isHttp || isHttps) || to.username !== "" || to.password !== "")
    throw new AcmeProblem("connection", "a redirect leads to where none may lead");
  return to;
}

/** One request, to the first of the host's addresses that takes the connection. */
async function fetchOnce(url: URL, proof: Proof, isRedirected: boolean): Promise<Answer> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = await addressesOf(host, { resolver: proof.config.dns_resolver }, isRedirected);
  let failure: unknown;
  for (const address of addresses) {
    try {
      return await read(await send(url, address, proof.signal));
    } catch (error) {
      if (proof.signal.aborted) throw new AcmeProblem("connection", `${host} took too long to answer`);
      failure = error;
    }
  }
  throw new AcmeProblem("connection", `${host} could not be reached: ${messageOf(failure)}`, {
    cause: failure,
  });
}

async function send(url: URL, address: string, signal: AbortSignal): Promise<IncomingMessage> {
  const options = {
    host: address,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, accept: "*/*", "user-agent": "vsec-acme" },
    agent: false as const,
    signal,
  };
  const request: ClientRequest =
    url.protocol === "https:"
      ? (await import("node:https")).get({
          ...options,
          port: 443,
          servername: url.hostname,
          rejectUnauthorized: false,
        })
      : (await import("node:http")).get({ ...options, port: url.port === "" ? 80 : Number(url.port) });
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    // It may fail a second time, when nobody waits any more.
    request.on("error", reject);
  });
}

async function read(response: IncomingMessage): Promise<Answer> {
  const { statusCode: status = 0, headers } = response;
  // What is cut off here may say so; whoever reads the body is told by other means.
  response.on("error", () => undefined);
  const location = REDIRECTS.has(status) ? (headers.location ?? null) : null;
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (location === null) {
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes > BODY_BYTES_MAX) break;
    }
  }
  response.destroy();
  return { status, body: Buffer.concat(chunks).toString("latin1"), location };
}

/** What came back is not quoted: it may be of a server that the client could not ask itself. */
function checkAnswer({ status, body }: Answer, { keyAuthorization }: Proof): void {
  if (status !== 200) throw new AcmeProblem("unauthorized", `the answer's status was ${status}, not 200`);
  if (body.trimEnd() !== keyAuthorization)
    throw new AcmeProblem("unauthorized", "the answer is not the challenge's key authorization");
}
