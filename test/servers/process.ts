/** Starting, watching and ending the server processes of a test run. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whom a server runs as: servers refuse to run as root. Undefined: as ourselves. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** The account for servers when this process is root: `preferred` where it exists, else `nobody`. */
export function serverUser(preferred: string): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of [preferred, "nobody"]) {
    const line = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((entry) => entry.startsWith(`${name}:`));
    const [, , uid, gid] = line?.split(":") ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(`this process is root, and neither ${preferred} nor nobody exists to run a server as`);
}

/** The command line that runs `command` as `user`; on Linux the server also dies with this process, however that dies. */
export function commandAs(user: ServerUser | undefined, command: readonly string[]): [string, string[]] {
  if (process.platform !== "linux") return [command[0] ?? "", command.slice(1)];
  const identity = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  return ["setpriv", [...identity, "--pdeathsig=QUIT", ...command]];
}

const cleanups = new Set<() => void>();
let watching = false;

/** Runs `cleanup` when this process exits, unless the returned function was called first. */
export function atExit(cleanup: () => void): () => void {
  cleanups.add(cleanup);
  if (!watching) {
    watching = true;
    process.on("exit", () => {
      for (const run of cleanups) run();
    });
  }
  return () => cleanups.delete(cleanup);
}

/** A new directory below the system's temporary one, owned by `user`; removed at exit at the latest. */
export function temporaryDirectory(
  prefix: string,
  user?: ServerUser,
): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), prefix));
  if (user !== undefined) chownSync(path, user.uid, user.gid);
  const drop = () => rmSync(path, { recursive: true, force: true });
  const forget = atExit(drop);
  return {
    path,
    remove: () => {
      forget();
      drop();
    },
  };
}

/** A TCP port of the loopback address that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** A server process whose output goes to a file. */
export interface ServerProcess {
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  readonly hasEnded: () => boolean;
  /** Sends the signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a server; its output is appended to `logFile`. It is killed when this process exits. */
export function startProcess(
  user: ServerUser | undefined,
  command: readonly string[],
  logFile: string,
  environment: NodeJS.ProcessEnv = {},
): ServerProcess {
  const log = openSync(logFile, "a");
  const [file, args] = commandAs(user, command);
  const env = { PATH: process.env.PATH ?? "", LC_ALL: "C", TZ: "UTC", ...environment };
  const child: ChildProcess = spawn(file, args, { stdio: ["ignore", log, log], cwd: "/", env });
  let over = false;
  const forget = atExit(() => child.kill("SIGKILL"));
  const ended = new Promise<void>((resolve) => {
    const finish = () => {
      over = true;
      forget();
      resolve();
    };
    child.once("exit", finish);
    child.once("error", finish);
  });
  return {
    pid: child.pid ?? 0,
    ended,
    hasEnded: () => over,
    stop: (signal) => {
      if (!over) child.kill(signal);
      return ended;
    },
  };
}

/** Runs a command to its end as `user`. @throws with its output when it fails. */
export function runToEnd(user: ServerUser | undefined, command: readonly string[]): void {
  const [file, args] = commandAs(user, command);
  execFileSync(file, args, {
    cwd: "/",
    env: { PATH: process.env.PATH ?? "", LC_ALL: "C", TZ: "UTC" },
    stdio: "pipe",
  });
}

/** Asks `isTrue` again and again, a few milliseconds apart, until it says yes. @throws after `timeoutMs`. */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
