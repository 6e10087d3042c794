import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "../../base/errors.ts";
import { replaceTextFile } from "../../platform/text-files.ts";
import { localFailure } from "../failure.ts";

/** How long a command that is to end has for that. */
const GRACE_MS = 5000;

/** For its user alone, unless said otherwise: what is rendered holds secrets. */
export const PRIVATE_MODE = 0o600;

/** `0640` or `640`. @throws SyntaxError */
export function parseMode(text: string): number {
  if (!/^0?o?[0-7]{3}$/.test(text)) throw new SyntaxError(`"${text}" are no permissions; they are like 0600`);
  return Number.parseInt(text.replace("o", ""), 8);
}

/**
 * Replaces a file in one step, unless it has this content already. Its permissions are these in any case.
 * @returns Whether it was written.
 * @throws CommandFailure (exit 1)
 */
export async function writeRendered(
  path: string,
  text: string,
  mode: number,
  makesDirectories = false,
): Promise<boolean> {
  try {
    if (contentOf(path) === text) {
      await chmod(path, mode);
      return false;
    }
    if (makesDirectories) await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await replaceTextFile(path, text, mode);
    return true;
  } catch (error) {
    throw localFailure(`could not write ${path}: ${messageOf(error)}`, error);
  }
}

function contentOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It is not there, or not to be read: then it is written.
    return null;
  }
}

/**
 * Runs what a change calls for, and waits for it. It writes to standard error: our standard output is the answer's.
 * @param env - Its whole environment.
 * @param signal - Asks it to end, as its time does; one that does not is killed.
 * @param msMax - Its time; absent: any.
 * @returns Null, or why it is no success.
 */
export function runAfter(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
  msMax?: number,
): Promise<string | null> {
  const [file = "", ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(file, args, { env: { ...env }, stdio: ["ignore", 2, 2] });
    const timers: NodeJS.Timeout[] = [];
    let isLate = false;
    const stop = (): void => {
      child.kill("SIGTERM");
      timers.push(setTimeout(() => child.kill("SIGKILL"), GRACE_MS));
    };
    if (msMax !== undefined)
      timers.push(
        setTimeout(() => {
          isLate = true;
          stop();
        }, msMax),
      );
    signal.addEventListener("abort", stop, { once: true });
    const end = (problem: string | null): void => {
      signal.removeEventListener("abort", stop);
      for (const timer of timers) clearTimeout(timer);
      resolve(problem);
    };
    const late = `${file} took longer than ${(msMax ?? 0) / 1000} s and was ended`;
    child.once("error", (error) => end(`${file}: ${messageOf(error)}`));
    child.once("close", (code, by) => {
      if (isLate) end(late);
      else end(code === 0 ? null : `${file} ended with ${by ?? code}`);
    });
  });
}
