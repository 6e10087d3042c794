import { accessSync, closeSync, constants, openSync, readFileSync, readSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { CannotStart } from "./cannot-start.ts";

/** A program that was looked for: its path, or why there is none. */
export type FoundProgram = { readonly path: string } | { readonly problem: "missing" | "not-executable" };

/** Finds a program as shells do: a name with a slash is a path, any other is looked for in the PATH. */
export function findProgram(name: string, searchPath: string): FoundProgram {
  const places = name.includes("/")
    ? [name]
    : searchPath.split(delimiter).map((place) => join(place || ".", name));
  let problem: "missing" | "not-executable" = "missing";
  for (const path of places) {
    const kind = kindOf(path);
    if (kind === "file" && isExecutable(path)) return { path };
    const isPassedOver = kind === "missing" || (kind === "hidden" && !name.includes("/"));
    if (!isPassedOver) problem = "not-executable";
  }
  return { problem };
}

function kindOf(path: string): "file" | "missing" | "other" | "hidden" {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return "missing";
    return stats.isFile() ? "file" : "other";
  } catch {
    // A directory on the way that this user may not enter. In the PATH shells pass over it.
    return "hidden";
  }
}

const HEAD_BYTES = 256;

/**
 * What to start for a program that was found: itself or, as execvp(3) does it, the shell for a script that names no interpreter.
 * @param argv - All arguments, the name it is called by first.
 */
export function startable(path: string, argv: readonly string[]): { file: string; argv: readonly string[] } {
  return isPlainScript(path)
    ? { file: "/bin/sh", argv: ["sh", path, ...argv.slice(1)] }
    : { file: path, argv };
}

/** Whether a file is text without `#!`. What a system can run by itself has a zero byte early on. */
function isPlainScript(path: string): boolean {
  try {
    const descriptor = openSync(path, "r");
    try {
      const head = Buffer.alloc(HEAD_BYTES);
      const text = head.subarray(0, readSync(descriptor, head));
      return !text.includes(0) && !text.toString("latin1").startsWith("#!");
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false; // It may be run and not read: the system has to know.
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether keys of a terminal send their signals to this process's group: then a child in the group has them already.
 * @see proc_pid_stat(5): field 5 is the group, field 8 the one in the terminal's foreground.
 */
export function isInForeground(): boolean {
  try {
    const text = readFileSync("/proc/self/stat", "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[2] === fields[5];
  } catch {
    // Elsewhere than on Linux: a terminal on the input is what there is to go by.
    return process.stdin.isTTY === true;
  }
}

/** Ends this process by a signal, as what it ran ended, so that whoever started it sees the same. */
export function dieBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/**
 * Replaces this process by a program. It does not come back where that succeeds.
 * @throws CannotStart, or TypeError where the runtime cannot do it.
 */
export async function replaceProcess(
  file: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<never> {
  await restorePipeSignal();
  const { execve } = process;
  if (execve === undefined) throw new TypeError("this system cannot replace a process");
  try {
    return execve.call(process, file, argv, { ...env }) as never;
  } catch (error) {
    throw new CannotStart(file, error);
  }
}

const SIGPIPE = 13;

/**
 * The runtime ignores SIGPIPE, and what is ignored stays so in the program that takes over: a writer into a closed pipe would
 * go on for ever. Where the C library cannot be reached the program has to do with it.
 */
async function restorePipeSignal(): Promise<void> {
  try {
    const { dlopen } = await import("bun:ffi");
    const name = process.platform === "darwin" ? "libSystem.dylib" : "libc.so.6";
    const library = dlopen(name, { signal: { args: ["int", "ptr"], returns: "ptr" } });
    library.symbols.signal(SIGPIPE, null);
  } catch {
    // As said above.
  }
}
