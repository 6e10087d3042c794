import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import { systemReason } from "../../base/errors.ts";

/** Thrown when nobody reads any more. */
export class ReaderGone extends Error {}

/** Thrown when what reads takes no more: a full disk. The message is the system's. */
export class OutputFull extends Error {}

const FULL: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

const WAIT_MS = 2;

/**
 * Writes bytes to standard output or error. On a terminal it returns when all is written, so that whatever fills it has to
 * wait; on a pipe the promise says so, and timers run meanwhile.
 * @throws ReaderGone
 * @throws OutputFull
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

function writeLater(descriptor: 1 | 2, bytes: Uint8Array): Promise<void> {
  const stream = descriptor === 1 ? process.stdout : process.stderr;
  return new Promise((resolve, reject) => {
    // The callback carries the error; without a listener the same error would end the process as well.
    if (stream.listenerCount("error") === 0) stream.on("error", () => undefined);
    stream.write(bytes, (error) => (error ? reject(failureOf(error)) : resolve()));
  });
}

function failureOf(error: NodeJS.ErrnoException): Error {
  return FULL.has(error.code) ? new OutputFull(systemReason(error), { cause: error }) : new ReaderGone();
}
