import { spawn } from "node:child_process";
import { lookup } from "node:dns/promises";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants as systemConstants, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { messageOf, VsecError } from "../base/errors.ts";

/** Signals that a terminal's keys send to the whole group: the child decides about them. */
const TERMINAL_SIGNALS = ["SIGINT", "SIGQUIT"] as const;
/** What shells add to the number of the signal that ended a command. */
const SIGNAL_BASE = 128;

/**
 * Runs a program with this process's own streams, and waits for its end.
 * @param env - All of its environment.
 * @returns Its exit code; 128 and the signal's number where one ended it.
 * @throws VsecError FILE when it cannot be started.
 */
export function runInherited(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const keep = (): void => undefined;
  for (const signal of TERMINAL_SIGNALS) process.on(signal, keep);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const child = spawn(file, args, { stdio: "inherit", env: { ...env } });
  child.once("error", (error) => {
    reject(new VsecError("FILE", `${file} cannot be started: ${messageOf(error)}`, { cause: error }));
  });
  child.once("close", (code, signal) => {
    resolve(code ?? SIGNAL_BASE + (signal === null ? 0 : systemConstants.signals[signal]));
  });
  return promise.finally(() => {
    for (const signal of TERMINAL_SIGNALS) process.off(signal, keep);
  });
}

/** Whether a program of this name is in the search path. */
export function isInPath(name: string, searchPath: string): boolean {
  return searchPath.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return directory !== "";
    } catch {
      return false;
    }
  });
}

/** A directory for its owner alone, removed by the returned function. */
export function passingDirectory(): {
  readonly path: string;
  write(name: string, text: string): string;
  remove(): void;
} {
  const path = mkdtempSync(join(tmpdir(), "vsec-ssh-"));
  return {
    path,
    write: (name, text) => {
      const file = join(path, name);
      writeFileSync(file, text, { mode: 0o600, flag: "wx" });
      return file;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** The address of a host. @throws VsecError UNREACHABLE when its name is not known. */
export async function addressOf(host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new VsecError("UNREACHABLE", `the address of ${host} is not known: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
