import { httpMethod, queryText } from "../contract/http-form.ts";
import type { Method } from "../contract/wire.ts";
import type { CommandRequest } from "./request.ts";

/** Goes into single quotes of a shell. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** The curl command that would send a request (`-output-curl-string`); the token is asked for when it runs, never shown. */
export function curlCommand(
  request: CommandRequest,
  url: string,
  wrapTtl: string | undefined,
  headers: Readonly<Record<string, string>>,
): string {
  const method = httpMethod(request.method);
  const parts = ["curl"];
  if (method !== "GET") parts.push("-X", method);
  parts.push('-H "X-Vault-Request: true"', '-H "X-Vault-Token: $(vsec print token)"');
  if (wrapTtl !== undefined) parts.push(`-H "X-Vault-Wrap-TTL: ${wrapTtl}"`);
  if (method === "PATCH") parts.push('-H "Content-Type: application/merge-patch+json"');
  for (const [name, value] of Object.entries(headers)) parts.push("-H", shellQuoted(`${name}: ${value}`));
  if (request.body !== undefined) parts.push("-d", shellQuoted(JSON.stringify(request.body)));
  parts.push(shellQuoted(`${url}${queryText(request)}`));
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
