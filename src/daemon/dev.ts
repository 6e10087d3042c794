import { VsecError } from "../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import type { ApiRequest } from "../contract/wire.ts";
import type { Instance } from "../core/instance.ts";

/** What `-dev` adds. */
export interface DevOptions {
  /** `host:port` of a listener beside those that were asked for otherwise. */
  readonly listenAddress?: string;
  /** The root token's id; absent: a random one. */
  readonly rootTokenId?: string;
  /** Whether the token is remembered for later commands of this user. */
  readonly storeToken: boolean;
}

/**
 * Makes the throw-away store with a key/value engine with versions at `secret/`, as Vault's has it, and its root token.
 * @returns The token.
 * @throws VsecError USAGE when the wanted id is refused.
 */
export async function initDevStore(instance: Instance, { rootTokenId }: DevOptions): Promise<string> {
  const init = await ask(instance, { method: "PUT", path: "sys/init", body: {} });
  const token = String(init.root_token ?? "");
  const engine = { type: "kv", description: "key/value secret storage", options: { version: "2" } };
  await ask(instance, { method: "POST", path: "sys/mounts/secret", token, body: engine });
  if (rootTokenId === undefined) return token;
  // A token with a chosen id is an ordinary one that root may make; the first one then goes, as nobody shall know it.
  await ask(instance, {
    method: "POST",
    path: "auth/token/create-orphan",
    token,
    body: { id: rootTokenId, policies: ["root"], display_name: "root" },
  });
  await ask(instance, { method: "POST", path: "auth/token/revoke-self", token });
  return rootTokenId;
}

async function ask(instance: Instance, request: ApiRequest): Promise<JsonObject> {
  const { status, body } = await instance.handle(request);
  if (status < 400) return isJsonObject(body) ? body : {};
  throw new VsecError("USAGE", `the development store could not be made: ${errorText(body)}`);
}

function errorText(body: Json): string {
  return isJsonObject(body) && Array.isArray(body.errors)
    ? body.errors.join("; ").trim()
    : "no reason was given";
}

/** What is shown at the start: where the server is, and how to reach it. The token is a throw-away store's. */
export function devBanner(addresses: readonly string[], rootToken: string, version: string): string {
  const [address = ""] = addresses;
  const rows = [
    ...addresses.map((listener, index): [string, string] => [`Listener ${index + 1}`, listener]),
    ["Storage", "memory"],
    ["Version", version],
  ].map(([name = "", value = ""]) => `${name.padStart(22)}: ${value}`);
  return `==> vsec server configuration:

${rows.join("\n")}

WARNING! dev mode is enabled! The store is in memory and gone when this process ends; it is unsealed, and
everybody who can reach the listener can use it with the token below. It is for trying things out.

Commands find it through this variable:

    $ export VSEC_ADDR='${address}'

Root Token: ${rootToken}

==> vsec server started! Log data will stream in below:

`;
}
