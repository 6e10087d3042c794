import { parseDurationMs } from "../base/duration.ts";
import type { Client } from "../client/client.ts";
import { type Env, findVariable, readVariable } from "../contract/environment.ts";
import { daemonSocketPath, isSocketAt } from "../platform/daemon-socket.ts";
import { systemDirectories } from "../platform/directories.ts";
import type { ClientOptions } from "./context.ts";
import { remoteFailure } from "./failure.ts";

/**
 * The client for these options: of the address, where one is given; of the store's daemon, where one answers; else this
 * process works on the store. Each is loaded only here, so that a command pays for one of them.
 * @throws CommandFailure (exit 2) for a bad variable; VsecError from opening.
 */
export async function clientFor(options: ClientOptions, env: Env): Promise<Client> {
  const { address } = options;
  if (address !== undefined) return httpClient(address, options, env);
  const socket = daemonSocketPath(storeDirectory(options));
  if (readVariable(env, "VSEC_DAEMON") !== "off" && isSocketAt(socket) && (await doesAnswer(socket)))
    return httpClient(`unix://${socket}`, options, env);
  const { openLocalClient } = await import("../client/local.ts");
  return openLocalClient({ ...(options.storeDir === undefined ? {} : { storeDir: options.storeDir }), env });
}

async function httpClient(address: string, { tls, headers }: ClientOptions, env: Env): Promise<Client> {
  const timeoutMs = timeoutOf(env);
  const { openHttpClient } = await import("../client/http.ts");
  return openHttpClient({
    address,
    ...(tls === undefined ? {} : { tls }),
    ...(headers === undefined ? {} : { headers }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

function timeoutOf(env: Env): number | undefined {
  const variable = findVariable(env, "VSEC_CLIENT_TIMEOUT");
  if (variable === undefined) return undefined;
  try {
    const ms = parseDurationMs(variable.value);
    if (ms > 0) return ms;
  } catch (error) {
    throw unreadable(variable.name, error);
  }
  throw unreadable(variable.name);
}

function unreadable(name: string, cause?: unknown): Error {
  return remoteFailure(`failed to read environment: could not parse ${name}`, { cause });
}

/** A daemon that was killed leaves its socket: nobody answers there. */
async function doesAnswer(path: string): Promise<boolean> {
  const { connect } = await import("node:net");
  return new Promise((resolve) => {
    const socket = connect({ path });
    const finish = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.once("connect", () => finish(true));
    socket.once("error", () => finish(false));
  });
}

/** Where the store of these options is: the one named, else the user's own. */
export function storeDirectory(options: ClientOptions): string {
  return options.storeDir ?? systemDirectories().data;
}
