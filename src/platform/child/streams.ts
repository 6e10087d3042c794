import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { isatty } from "node:tty";
import { CannotStart } from "./cannot-start.ts";
import type { Child, ChildEnd, ChildOptions, ObservedOptions, OutputStream } from "./child.ts";
import { handOn, openOutputTerminal } from "./output-terminal.ts";
import { openPipe, type Pipe } from "./pipe.ts";

/** How long the streams of a child that has ended are read on: what it started may have them still. */
const DRAIN_MS = 1000;

/** A child with this process's own streams, in its group: as if the shell had started it. */
export function inheritingChild(options: ChildOptions): Promise<Child> {
  const child = spawnChild(options, ["inherit", "inherit", "inherit"]);
  return started(options, child, endOf(child));
}

/** A child in this process's group whose output is looked at; it stays a terminal where ours is one. */
export async function observedChild(options: ObservedOptions): Promise<Child> {
  const wanted = ([1, 2] as const).filter((descriptor) => isatty(descriptor));
  const terminal =
    wanted.length === 0
      ? null
      : openOutputTerminal((bytes) => handOn(options, wanted[0] === 1 ? "stdout" : "stderr", bytes));
  const pipes = {
    1: wanted.includes(1) ? null : await openPipe(),
    2: wanted.includes(2) ? null : await openPipe(),
  };
  const at = (descriptor: 1 | 2) =>
    (wanted.includes(descriptor) ? terminal?.descriptor : pipes[descriptor]?.input) ?? "pipe";
  let child: ChildProcess;
  try {
    child = spawnWith([pipes[1], pipes[2]], options, ["inherit", at(1), at(2)]);
  } catch (error) {
    await terminal?.close();
    throw error;
  }
  const drained = Promise.all([
    drain("stdout", pipes[1] ?? socketOf(child.stdout), options),
    drain("stderr", pipes[2] ?? socketOf(child.stderr), options),
  ]);
  const ended = endOf(child).then(async (end) => {
    await within(DRAIN_MS, drained);
    for (const pipe of [pipes[1], pipes[2]]) pipe?.close();
    await terminal?.close();
    return end;
  });
  const onResize = (): void => {
    terminal?.resize();
    // Our terminal has told the child already, before this one had its new size.
    child.kill("SIGWINCH");
  };
  if (terminal !== null) process.on("SIGWINCH", onResize);
  void ended.finally(() => process.off("SIGWINCH", onResize));
  return started(options, child, ended);
}

function spawnChild({ file, argv, env }: ChildOptions, stdio: StdioOptions): ChildProcess {
  const [argv0 = file, ...args] = argv;
  try {
    return spawn(file, args, { argv0, env: { ...env }, stdio });
  } catch (error) {
    throw new CannotStart(file, error);
  }
}

/** Starts a child, whose ends of these pipes are its own then. @throws CannotStart; the pipes are closed. */
function spawnWith(
  pipes: readonly (Pipe | null)[],
  options: ChildOptions,
  stdio: StdioOptions,
): ChildProcess {
  try {
    return spawnChild(options, stdio);
  } catch (error) {
    for (const pipe of pipes) pipe?.close();
    throw error;
  } finally {
    for (const pipe of pipes) pipe?.handOver();
  }
}

async function started(options: ChildOptions, child: ChildProcess, ended: Promise<ChildEnd>): Promise<Child> {
  if (child.pid === undefined) {
    const [error] = (await once(child, "error").catch((reason: unknown) => [reason])) as unknown[];
    throw new CannotStart(options.file, error);
  }
  return { pid: child.pid, sharesGroup: true, kill: (signal) => void child.kill(signal), ended };
}

function endOf(child: ChildProcess): Promise<ChildEnd> {
  return new Promise((resolve) => {
    child.once("error", () => resolve({ code: 126, signal: null }));
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
}

type Drained = Pick<Pipe, "output" | "close">;

function socketOf(stream: Readable | null): Drained | null {
  return stream === null ? null : { output: stream, close: () => void stream.destroy() };
}

async function drain(name: OutputStream, from: Drained | null, { consume }: ObservedOptions): Promise<void> {
  if (from === null) return;
  try {
    // The next piece is read when this one has been taken, so a slow reader slows the child down and nothing piles up.
    for await (const chunk of from.output) await consume(name, chunk);
  } catch {
    // It was given up after its time, or nobody reads what it would be handed on to.
  } finally {
    from.close();
  }
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, late]);
  clearTimeout(timer);
}
