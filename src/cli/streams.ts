import { fstatSync, statSync, writeSync } from "node:fs";
import { devNull } from "node:os";
import { systemReason, VsecError } from "../base/errors.ts";
import { localFailure } from "./failure.ts";

/** The most that is read from standard input or a file: what the API accepts as a body. */
export const STDIN_BYTES_MAX = 33_554_432;

/** A place to write text to, or bytes. */
export interface Sink {
  readonly isTTY: boolean;
  /** True once the reader has gone away (`| head`), which counts as success. */
  readonly isBroken: boolean;
  /** Resolves when the text was handed on. A reader that went away is no error. */
  write(text: string | Uint8Array): Promise<void>;
}

/** Standard input. */
export interface Source {
  readonly isTTY: boolean;
  /** Everything up to the end. @throws VsecError USAGE above `bytesMax`. */
  readAll(bytesMax: number): Promise<string>;
}

const isBrokenPipe = (error: unknown): boolean => (error as NodeJS.ErrnoException | null)?.code === "EPIPE";

/**
 * A sink over standard output or error. It writes to the descriptor itself, since making the stream takes longer than most
 * commands do; the stream is made where the descriptor does not block and is full.
 */
export function descriptorSink(descriptor: 1 | 2, stream: () => NodeJS.WriteStream): Sink {
  let broken = false;
  const hand = async (text: string | Uint8Array): Promise<void> => {
    const rest = writeNow(
      descriptor,
      typeof text === "string" ? Buffer.from(text, "utf8") : Buffer.from(text),
    );
    if (rest.length > 0) await writeLater(stream(), rest);
  };
  return {
    get isTTY() {
      return mayBeTerminal(descriptor) && stream().isTTY === true;
    },
    get isBroken() {
      return broken;
    },
    async write(text) {
      if (broken || text.length === 0) return;
      try {
        await hand(text);
      } catch (error) {
        if (!isBrokenPipe(error))
          throw localFailure(`could not write the output: ${systemReason(error)}`, error);
        broken = true;
      }
    },
  };
}

/** False for files and pipes, and for the device that takes everything, so that no stream is made to find that out. */
function mayBeTerminal(descriptor: number): boolean {
  const status = fstatSync(descriptor);
  return status.isCharacterDevice() && status.rdev !== statSync(devNull, { throwIfNoEntry: false })?.rdev;
}

/** @returns What the descriptor did not take because it would have blocked. */
function writeNow(descriptor: number, bytes: Buffer): Buffer {
  let rest = bytes;
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(descriptor, rest));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
  }
  return rest;
}

function writeLater(stream: NodeJS.WriteStream, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    // The callback carries the error; without a listener the same error would end the process as well.
    stream.once("error", () => undefined);
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

/** A source over a process stream. */
export function streamSource(stream: NodeJS.ReadStream): Source {
  return {
    isTTY: stream.isTTY === true,
    async readAll(bytesMax) {
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of stream) {
        const bytes = Buffer.from(chunk as Buffer);
        length += bytes.length;
        if (length > bytesMax)
          throw new VsecError("USAGE", `standard input is larger than ${bytesMax} bytes`);
        chunks.push(bytes);
      }
      return Buffer.concat(chunks).toString("utf8");
    },
  };
}
