import { execFile } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import type { Log } from "../base/log.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The first descriptor that is handed over: sd_listen_fds(3). */
const FIRST_DESCRIPTOR = 3;
const DESCRIPTORS_MAX = 16;

/**
 * The listening sockets that the service manager made for this process (socket activation), as descriptors.
 * @see sd_listen_fds(3)
 */
export function inheritedSockets(env: Env, processId: number): readonly number[] {
  if (env.LISTEN_PID !== String(processId)) return [];
  const count = Number(env.LISTEN_FDS ?? 0);
  if (!Number.isInteger(count) || count < 1 || count > DESCRIPTORS_MAX) return [];
  return Array.from({ length: count }, (_, index) => FIRST_DESCRIPTOR + index);
}

/** True for a unix socket; false too where that cannot be told. */
export function isUnixSocket(descriptor: number): boolean {
  try {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`)) ?? [];
    if (inode === undefined) return false;
    // Columns of proc(5): address, references, protocol, flags, type, state, inode, path.
    return readFileSync("/proc/net/unix", "utf8")
      .split("\n")
      .some((line) => line.trim().split(/ +/)[6] === inode);
  } catch {
    // Only Linux hands sockets over in this way, and it has these files.
    return false;
  }
}

export type ServiceState = "READY=1" | "STOPPING=1" | "RELOADING=1";

const NOTIFY_MS_MAX = 5000;

/**
 * Tells the service manager about this process, where there is one. It is told through its own program `systemd-notify`,
 * since node:dgram cannot send to a unix socket; the unit therefore says `NotifyAccess=all`. A failure is logged only.
 * @see sd_notify(3)
 */
export function notifyService(state: ServiceState, env: Env, log: Log): Promise<void> {
  if (env.NOTIFY_SOCKET === undefined || env.NOTIFY_SOCKET === "") return Promise.resolve();
  const own = { NOTIFY_SOCKET: env.NOTIFY_SOCKET, ...(env.PATH === undefined ? {} : { PATH: env.PATH }) };
  const args = [`--pid=${process.pid}`, state];
  return new Promise((resolve) => {
    execFile("systemd-notify", args, { env: own, timeout: NOTIFY_MS_MAX }, (error) => {
      if (error !== null)
        log.warn("the service manager could not be told", { state, error: error.code ?? null });
      resolve();
    });
  });
}
