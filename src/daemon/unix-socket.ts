import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import type { Clock } from "../base/clock.ts";
import { messageOf, VsecError } from "../base/errors.ts";
import { SOCKET_PATH_BYTES_MAX } from "../platform/daemon-socket.ts";
import type { SocketPlace } from "./listen-plan.ts";

const WRITE_OF_GROUP_AND_OTHERS = 0o022;
/** Nobody needs so long to take a socket over: whoever began it is gone. */
const TAKEOVER_MS_MAX = 10_000;
const TAKEOVER_POLL_MS = 20;
const PROBE_MS_MAX = 2000;

function cannot(path: string, why: string, cause?: unknown): VsecError {
  return new VsecError("LISTEN", `listen unix ${path}: ${why}`, { cause });
}

/**
 * Makes a socket's file: takes over one that a dead daemon left, and gives it to its group, if any. Nobody else can connect
 * at any moment: the file is made with mode 0600, in a directory that others cannot write to.
 * @param bind - Listens on the path; called once the path is free.
 * @throws VsecError LISTEN when another daemon answers there, something else lies there, or the directory is open to others.
 */
export async function claimSocket<T>(place: SocketPlace, clock: Clock, bind: () => Promise<T>): Promise<T> {
  const { path, group } = place;
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    const text = `a socket's path has at most ${SOCKET_PATH_BYTES_MAX} bytes; name a shorter one with -socket, or say -no-listen`;
    throw cannot(path, text);
  }
  const gid = group === undefined ? undefined : groupId(group);
  makeSocketDirectory(dirname(path), gid);
  const release = await lockPath(path, clock);
  const umask = process.umask(0o177);
  try {
    await freePath(path);
    const bound = await bind();
    if (gid !== undefined) {
      chownSync(path, process.geteuid?.() ?? 0, gid);
      chmodSync(path, 0o660);
    }
    return bound;
  } catch (error) {
    throw error instanceof VsecError ? error : cannot(path, messageOf(error), error);
  } finally {
    process.umask(umask);
    release();
  }
}

/** What tells a socket's file from another that took its place. */
export function socketIdentity(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino;
}

/** Removes the socket's file when the daemon ends, if it is still its own. */
export function removeSocket(path: string, identity: number | undefined): void {
  if (identity !== undefined && socketIdentity(path) === identity) rmSync(path, { force: true });
}

/** Daemons that start at the same moment take the path one after another, so that none removes the other's new socket. */
async function lockPath(path: string, clock: Clock): Promise<() => void> {
  const lock = `${path}.lock`;
  for (;;) {
    try {
      mkdirSync(lock, { mode: 0o700 });
      return () => rmdirSync(lock);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw cannot(path, messageOf(error), error);
    }
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    if (since !== undefined && clock.now() - since > TAKEOVER_MS_MAX)
      rmSync(lock, { recursive: true, force: true });
    else await clock.sleep(TAKEOVER_POLL_MS);
  }
}

/** @throws VsecError LISTEN unless the path is free, or was a dead daemon's. */
async function freePath(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket())
    throw cannot(path, "a file that is no socket lies there; remove it, or name another with -socket");
  const code = await probe(path);
  if (code === null)
    throw cannot(
      path,
      "address already in use: a daemon answers there; stop it first, or name another socket with -socket",
    );
  if (code !== "ECONNREFUSED") throw cannot(path, `the socket that lies there cannot be tried (${code})`);
  rmSync(path);
}

/** Null: somebody answers. Else the error's code. */
function probe(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const finish = (code: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(code);
    };
    const timer = setTimeout(() => finish("ETIMEDOUT"), PROBE_MS_MAX);
    socket.once("connect", () => finish(null));
    socket.once("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
  });
}

function makeSocketDirectory(path: string, gid: number | undefined): void {
  let stats: Stats;
  try {
    // What is missing above it is closed to others too.
    if (mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined && gid !== undefined) {
      chownSync(path, process.geteuid?.() ?? 0, gid);
      chmodSync(path, 0o750);
    }
    stats = statSync(path);
  } catch (error) {
    throw cannot(path, messageOf(error), error);
  }
  const user = process.geteuid?.() ?? 0;
  if (stats.uid !== user && stats.uid !== 0)
    throw cannot(path, `the directory belongs to user ${stats.uid}, who could put another socket there`);
  if ((stats.mode & WRITE_OF_GROUP_AND_OTHERS) !== 0) {
    const mode = (stats.mode & 0o7777).toString(8).padStart(4, "0");
    throw cannot(
      path,
      `others may write to the directory (mode ${mode}) and could put another socket there; choose one that only its owner can write to`,
    );
  }
}

const GROUPS_FILE = "/etc/group";

/** @throws VsecError LISTEN for a name that the machine's own table of groups does not have. */
function groupId(group: string): number {
  if (/^\d{1,10}$/.test(group)) return Number(group);
  const lines = readFileSync(GROUPS_FILE, "utf8").split("\n");
  const [, , id] = lines.find((line) => line.startsWith(`${group}:`))?.split(":") ?? [];
  if (id !== undefined && /^\d+$/.test(id)) return Number(id);
  throw new VsecError(
    "LISTEN",
    `-socket-group: ${GROUPS_FILE} has no group "${group}"; give its number instead`,
  );
}
