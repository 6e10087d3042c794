import { closeSync, constants, openSync, readdirSync, readFileSync } from "node:fs";

import type { ObservedOptions, OutputStream } from "./child.ts";

/** A terminal that a child has only for what it writes: its input, its group and its signals stay those of our own. */
export interface OutputTerminal {
  /** For the child's streams. */
  readonly descriptor: number;
  /** Takes over the size of our own terminal. */
  resize(): void;
  /** Hands on what is left, and ends. */
  close(): Promise<void>;
}

/** OPOST of termios(3), on Linux. Off: the line ends stay as the child writes them, and our own terminal sees to them. */
const OPOST = 0o1;

/**
 * Opens one. Null where the system does not say which its other end is (elsewhere than on Linux): a pipe has to do.
 * @param take - Gets what was written; in order, and has to be done with it when it returns.
 */
export function openOutputTerminal(take: (bytes: Uint8Array) => void): OutputTerminal | null {
  if (process.platform !== "linux") return null;
  const before = terminalIndexes();
  const { columns, rows } = ownSize();
  const closed = Promise.withResolvers<void>();
  let pieces = 0;
  const terminal = new Bun.Terminal({
    cols: columns,
    rows,
    data: (_, bytes) => {
      pieces += 1;
      take(bytes);
    },
    exit: () => closed.resolve(),
  });
  const index = [...terminalIndexes()].find((it) => !before.has(it));
  if (index === undefined) {
    terminal.close();
    return null;
  }
  terminal.outputFlags &= ~OPOST;
  const descriptor = openSync(`/dev/pts/${index}`, constants.O_RDWR | constants.O_NOCTTY);
  return {
    descriptor,
    resize() {
      const size = ownSize();
      terminal.resize(size.columns, size.rows);
    },
    async close() {
      closeSync(descriptor);
      await drained(() => pieces, closed.promise);
      terminal.close();
    },
  };
}

/** So long nothing has come from a terminal that somebody may still have: nothing is on its way. */
const QUIET_MS = 50;
/** So often that is looked at: what a command has left running may write for ever, and what it had written itself is through. */
const LOOKS_MAX = 20;

/**
 * Waits until a terminal has handed on all that a command wrote: until its last user has gone, or, where what the command has
 * started keeps it, until nothing comes any more.
 * @param count - How many pieces have come.
 */
export async function drained(count: () => number, closed: Promise<void>): Promise<void> {
  let isClosed = false;
  const end = closed.then(() => {
    isClosed = true;
  });
  let before = -1;
  for (let look = 0; look < LOOKS_MAX && !isClosed && before !== count(); look += 1) {
    before = count();
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, QUIET_MS))]);
  }
}

/**
 * Hands on what a terminal got. What cannot be shown any more, since the window is closed, is dropped: the signal that comes
 * with that is what counts.
 */
export function handOn({ consume }: ObservedOptions, stream: OutputStream, bytes: Uint8Array): void {
  try {
    void consume(stream, bytes);
  } catch {
    // As said above.
  }
}

/** The size of our own terminal. */
export function ownSize(): { columns: number; rows: number } {
  const stream = process.stdout.isTTY ? process.stdout : process.stderr;
  const [columns, rows] = stream.getWindowSize?.() ?? [80, 24];
  return { columns: columns || 80, rows: rows || 24 };
}

/** The numbers of the pseudo-terminals whose controlling side this process holds. @see proc_pid_fdinfo(5) */
function terminalIndexes(): ReadonlySet<string> {
  const found = readdirSync("/proc/self/fdinfo").map((name) => {
    try {
      return /^tty-index:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, "latin1"))?.[1];
    } catch {
      // The descriptor of the listing itself is gone by now.
      return undefined;
    }
  });
  return new Set(found.filter((index) => index !== undefined));
}
