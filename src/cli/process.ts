import { messageOf } from "../base/errors.ts";
import type { Env } from "../contract/environment.ts";
import { EXIT } from "../contract/exit-codes.ts";
import { dieBy } from "../platform/child/program.ts";
import { systemClock } from "../platform/clock.ts";
import { compileAsUsual } from "../platform/compiling.ts";
import { clientFor, storeDirectory } from "./connect.ts";
import type { CliWorld, DaemonOptions } from "./context.ts";
import { promptHidden } from "./prompt.ts";
import { run } from "./run.ts";
import { withSettings } from "./settings/read.ts";
import { descriptorSink, type Sink, type Source, STDIN_BYTES_MAX, streamSource } from "./streams.ts";
import { storeToken } from "./token-helper.ts";

/** A command that goes on for longer is no short one. */
const SHORT_MS_MAX = 150;

/** Runs the command line of this process. */
export async function runProcess(args: readonly string[]): Promise<number> {
  setTimeout(compileAsUsual, SHORT_MS_MAX).unref();
  const stderr = descriptorSink(2, () => process.stderr);
  try {
    return await run(args, processWorld(stderr, withSettings(process.env)));
  } catch (error) {
    // Only the settings can be what is wrong: what a command throws, `run` has reported.
    await stderr.write(`${messageOf(error)}\n`);
    return EXIT.local.code;
  }
}

/** The outside as this process has it, with the settings of its user. */
function processWorld(stderr: Sink, env: Env): CliWorld {
  return {
    stdin: standardInput,
    stdout: descriptorSink(1, () => process.stdout),
    stderr,
    env,
    clock: systemClock,
    openClient: clientFor,
    storeDirectory,
    readFile: readTextFile,
    writeFile: writeTextFile,
    promptHidden: (label) => promptHidden(process.stdin, stderr, label),
    dieBy,
    runDaemon: (options) => runDaemon(options, env),
  };
}

/** Opened by whoever looks at it: most commands do not, and making the stream takes a while. */
const standardInput: Source = {
  get isTTY() {
    return process.stdin.isTTY === true;
  },
  readAll: (bytesMax) => streamSource(process.stdin).readAll(bytesMax),
};

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "is a directory",
};

/** @throws SyntaxError with Go's text, since it ends up in messages that are Vault's. */
async function readTextFile(path: string): Promise<string> {
  const { readFile, stat } = await import("node:fs/promises");
  try {
    const { size } = await stat(path);
    if (size > STDIN_BYTES_MAX) throw new SyntaxError(`larger than ${STDIN_BYTES_MAX} bytes`);
    return await readFile(path, "utf8");
  } catch (error) {
    throw fileFailure(path, error);
  }
}

function fileFailure(path: string, error: unknown): SyntaxError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new SyntaxError(`open ${path}: ${REASONS[code ?? ""] ?? message}`, { cause: error });
}

/** @throws SyntaxError as reading does. */
async function writeTextFile(path: string, text: string): Promise<void> {
  const { replaceTextFile } = await import("../platform/text-files.ts");
  try {
    await replaceTextFile(path, text);
  } catch (error) {
    throw fileFailure(path, error);
  }
}

/** While the daemon runs, signals ask it to end or to reload; it is the only command that does not just die of them. */
async function runDaemon(options: DaemonOptions, env: Env): Promise<number> {
  const { runDaemonCommand } = await import("../daemon/main.ts");
  const { stdout, stderr } = process;
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => controller.abort());
  return runDaemonCommand(options, {
    env,
    stdout,
    stderr,
    signal: controller.signal,
    onReload: (reload) => void process.on("SIGHUP", reload),
    rememberToken: (token) => void storeToken(env, token),
  });
}
