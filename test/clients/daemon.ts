/** A daemon from source that has no store yet, as a process of its own, with plain HTTP on loopback. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, startProcess, temporaryDirectory, until } from "../servers/process.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const START_MS_MAX = 30_000;

export interface ClientDaemon {
  /** Where clients are sent: `http://127.0.0.1:1234`. */
  readonly url: string;
  /** A directory that goes with the daemon. */
  readonly directory: string;
  log(): string;
  stop(): Promise<void>;
}

/** Starts a daemon and waits until it answers. @throws with its log when it does not. */
export async function startDaemon(): Promise<ClientDaemon> {
  const directory = temporaryDirectory("vsec-clients-");
  const url = `http://127.0.0.1:${await freePort()}`;
  const logFile = join(directory.path, "daemon.log");
  const log = (): string => readFileSync(logFile, "utf8");
  const command = [
    ...[process.execPath, MAIN, "daemon"],
    ...[`-store=${join(directory.path, "store")}`, `-socket=${join(directory.path, "vsec.sock")}`],
    `-listen=${url.replace("http://", "")}`,
  ];
  const environment = { HOME: directory.path, XDG_RUNTIME_DIR: directory.path };
  const running = startProcess(undefined, command, logFile, environment);
  const answers = async (): Promise<boolean> => {
    if (running.hasEnded()) return true;
    const answer = await fetch(`${url}/v1/sys/seal-status`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.ok === true;
  };
  await until("the daemon to answer", answers, START_MS_MAX);
  if (running.hasEnded()) throw new Error(`the daemon did not start:\n${log().slice(-4000)}`);
  return {
    url,
    directory: directory.path,
    log,
    stop: async () => {
      await running.stop("SIGTERM");
      directory.remove();
    },
  };
}
