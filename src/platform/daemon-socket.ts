import { lstatSync } from "node:fs";
import { join, resolve } from "node:path";

/** What a unix socket's address can hold, without its closing zero: sun_path of unix(7), shorter on BSD systems. */
export const SOCKET_PATH_BYTES_MAX = process.platform === "linux" ? 107 : 103;

/**
 * Where the daemon of a store listens unless told otherwise: in the store's own directory, which only its owner can enter.
 * So two stores have two sockets, and whoever names a store finds its daemon, whatever else the environment says.
 */
export function daemonSocketPath(storeDirectory: string): string {
  return join(resolve(storeDirectory), "daemon.sock");
}

/** True when there is a socket at this path; a daemon may or may not be behind it. */
export function isSocketAt(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
  } catch {
    // A directory that cannot be entered shows no socket.
    return false;
  }
}
