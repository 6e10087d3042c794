/** A server that a figure asks: started, looked at, ended. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { atExit } from "../test/servers/process.ts";
import { BenchFailed } from "./measure.ts";

export interface Server {
  readonly pid: number;
  /** By SIGTERM; resolves once it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a program, and waits until it has said `started` on its standard error.
 * @param env - All of its environment beside PATH.
 * @throws BenchFailed when it ends instead.
 */
export async function startServer(
  [file = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const child = spawn(file, args, {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const forget = atExit(() => child.kill("SIGKILL"));
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => {
      forget();
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    let text = "";
    let hasStarted = false;
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      if (hasStarted) return;
      text += chunk;
      hasStarted = text.includes("started");
      if (hasStarted) resolve();
    });
    child.once("error", reject);
    void ended.then(() => reject(new BenchFailed(`${file} ended:\n${text}`)));
  });
  return {
    pid: child.pid ?? 0,
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

/** Puts a program on the machine's first core, where the system has a command for that. */
export function onOneCore(command: readonly string[]): readonly string[] {
  const taskset = Bun.which("taskset");
  return taskset === null ? command : [taskset, "-c", "0", ...command];
}

/** What a process holds of the machine's memory. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kib === undefined) throw new BenchFailed("the system does not say how much memory a process holds");
  return Number(kib) * 1024;
}
