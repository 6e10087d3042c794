import { write, writeSync } from "node:fs";
import { isatty } from "node:tty";

/** Thrown when nobody reads any more. */
export class ReaderGone extends Error {}

const WAIT_MS = 2;

/**
 * Writes bytes to standard output or error. On a terminal it returns when all is written, so that whatever fills it has to
 * wait; on a pipe the promise says so, and timers run meanwhile.
 * @throws ReaderGone
 */
export function writeBytes(descriptor: 1 | 2, bytes: Uint8Array): Promise<void> | void {
  if (bytes.length === 0) return;
  if (isatty(descriptor)) writeNow(descriptor, bytes);
  else return writeLater(descriptor, bytes);
}

function writeNow(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
      // A terminal that was closed shows nothing; its signal is on its way.
      else throw new ReaderGone();
    }
  }
}

async function writeLater(descriptor: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { error, count } = await new Promise<{ error: NodeJS.ErrnoException | null; count: number }>(
      (resolve) => {
        write(descriptor, bytes, at, (failure, written) => resolve({ error: failure, count: written ?? 0 }));
      },
    );
    if (error === null) at += count;
    else if (error.code === "EAGAIN") await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    else throw new ReaderGone();
  }
}
