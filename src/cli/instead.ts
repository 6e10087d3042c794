import { escapePath, parseAddress } from "../client/address.ts";
import { httpMethod, queryText } from "../contract/http-form.ts";
import type { Method } from "../contract/wire.ts";
import { daemonSocketPath, isSocketAt } from "../platform/daemon-socket.ts";
import type { ClientOptions } from "./context.ts";
import type { CommandRequest } from "./request.ts";

/** Goes into single quotes of a shell. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** Where curl is to send a request. */
export interface CurlPlace {
  /** Its options for that, quoted. */
  readonly options: readonly string[];
  /** What stands before `/v1/`. */
  readonly base: string;
  /** False: nobody listens there, as far as can be seen. */
  readonly isThere: boolean;
}

/**
 * The place of an address; where none is given, the socket of the store's daemon: without one, nobody could answer curl.
 * @throws VsecError UNREACHABLE for what is no address.
 */
export function curlPlace({ address, tls = {} }: ClientOptions, storeDirectory: string): CurlPlace {
  const place = parseAddress(address ?? `unix://${daemonSocketPath(storeDirectory)}`);
  if (place.kind === "unix") {
    const options = ["--unix-socket", shellQuoted(place.path)];
    return { options, base: "http://localhost", isThere: isSocketAt(place.path) };
  }
  const { skipVerify = false, caCert, caPath, clientCert, clientKey } = tls;
  const files = { "--cacert": caCert, "--capath": caPath, "--cert": clientCert, "--key": clientKey };
  const options = Object.entries(files).flatMap(([name, path]) =>
    path === undefined ? [] : [name, shellQuoted(path)],
  );
  return { options: skipVerify ? ["--insecure", ...options] : options, base: place.text, isThere: true };
}

/** The curl command that would send a request (`-output-curl-string`); the token is asked for when it runs, never shown. */
export function curlCommand(
  request: CommandRequest,
  { options, base }: CurlPlace,
  wrapTtl: string | undefined,
  headers: Readonly<Record<string, string>>,
): string {
  const method = httpMethod(request.method);
  const parts = ["curl", ...options];
  if (method !== "GET") parts.push("-X", method);
  parts.push('-H "X-Vault-Request: true"', '-H "X-Vault-Token: $(vsec print token)"');
  if (wrapTtl !== undefined) parts.push(`-H "X-Vault-Wrap-TTL: ${wrapTtl}"`);
  if (method === "PATCH") parts.push('-H "Content-Type: application/merge-patch+json"');
  for (const [name, value] of Object.entries(headers)) parts.push("-H", shellQuoted(`${name}: ${value}`));
  if (request.body !== undefined) parts.push("-d", shellQuoted(JSON.stringify(request.body)));
  parts.push(shellQuoted(`${base}/v1/${escapePath(request.path)}${queryText(request)}`));
  return parts.join(" ");
}

const CAPABILITIES: Readonly<Record<Method, readonly string[]>> = {
  GET: ["read"],
  HELP: ["read"],
  PUT: ["create", "update"],
  POST: ["create", "update"],
  PATCH: ["patch"],
  DELETE: ["delete"],
  LIST: ["list"],
};

/** Paths, or prefixes when they end in `*`, that only a token with `sudo` may use. */
const SUDO_PATHS = [
  "auth/token/accessors",
  "auth/token/revoke-orphan",
  "sys/audit",
  "sys/audit/*",
  "sys/auth/*",
  "sys/config/auditing/*",
  "sys/config/cors",
  "sys/leases",
  "sys/leases/lookup/*",
  "sys/leases/revoke-force/*",
  "sys/leases/revoke-prefix/*",
  "sys/plugins/catalog/*",
  "sys/raw",
  "sys/raw/*",
  "sys/remount",
  "sys/revoke-force/*",
  "sys/revoke-prefix/*",
  "sys/rotate",
  "sys/rotate/keyring",
  "sys/rotate/root",
  "sys/seal",
  "sys/step-down",
] as const;

/** The policy that a request needs (`-output-policy`). */
export function policyFor(request: CommandRequest): string {
  const sudo = SUDO_PATHS.some((path) =>
    path.endsWith("*") ? request.path.startsWith(path.slice(0, -1)) : request.path === path,
  );
  const words = [...CAPABILITIES[request.method], ...(sudo ? ["sudo"] : [])];
  return `path ${JSON.stringify(request.path)} {\n  capabilities = [${words.map((word) => `"${word}"`).join(", ")}]\n}`;
}
