import type { IncomingMessage } from "node:http";
import { messageOf, VsecError } from "../../base/errors.ts";
import { type Json, parseJson } from "../../base/json.ts";

/** What a fetch may take, of time and memory. */
const TIMEOUT_MS = 10_000;
const BYTES_MAX = 1_048_576;

/**
 * Reads a JSON document over HTTP. Redirects are not followed: what is read decides who may log in, so it comes from where
 * the configuration says.
 * @param caPem - Certificates to trust in place of the system's; "": the system's.
 * @throws BACKEND when it cannot be had within ten seconds, is larger than 1 MiB, or is not JSON.
 */
export async function fetchJson(url: string, caPem: string): Promise<Json> {
  try {
    return parseJson(await fetchText(url, caPem));
  } catch (error) {
    const reason = error instanceof SyntaxError ? "it is not JSON" : messageOf(error);
    throw new VsecError("BACKEND", `${url} cannot be read: ${reason}`, { cause: error });
  }
}

async function fetchText(url: string, caPem: string): Promise<string> {
  const isTls = new URL(url).protocol === "https:";
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const options = { signal, headers: { accept: "application/json" }, agent: false as const };
  const response = isTls
    ? await send(
        (await import("node:https")).get(url, { ...options, ...(caPem === "" ? {} : { ca: caPem }) }),
      )
    : await send((await import("node:http")).get(url, options));
  if (response.statusCode !== 200) {
    response.destroy();
    throw new VsecError("BACKEND", `it answered with status ${response.statusCode}`);
  }
  return readBody(response);
}

function send(request: import("node:http").ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > BYTES_MAX) {
      response.destroy();
      throw new VsecError("BACKEND", `it is larger than ${BYTES_MAX} bytes`);
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** @returns The URL when it is an absolute http or https one without credentials in it; null otherwise. */
export function webUrl(text: string): URL | null {
  try {
    const url = new URL(text);
    const isWeb = url.protocol === "https:" || url.protocol === "http:";
    return isWeb && url.username === "" && url.password === "" ? url : null;
  } catch {
    // Not a URL at all.
    return null;
  }
}
