import type { Client } from "../client/client.ts";
import type { Env } from "../contract/environment.ts";
import { systemDirectories } from "../platform/directories.ts";
import type { ClientOptions } from "./context.ts";
import { remoteFailure } from "./failure.ts";

/**
 * The client for these options. Loaded only here, so that commands without a request cost no store.
 * @throws CommandFailure (exit 2) for an address; VsecError from opening the store.
 */
export async function clientFor(options: ClientOptions, env: Env): Promise<Client> {
  if (options.address !== undefined) {
    throw remoteFailure(
      `cannot reach ${options.address}: the API over the network is not part of this version of vsec; ` +
        "leave -address and VSEC_ADDR out to use the local store",
    );
  }
  const { openLocalClient } = await import("../client/local.ts");
  return openLocalClient({ ...(options.storeDir === undefined ? {} : { storeDir: options.storeDir }), env });
}

/** Where the store of these options is: the one named, else the user's own. */
export function storeDirectory(options: ClientOptions): string {
  return options.storeDir ?? systemDirectories().data;
}
