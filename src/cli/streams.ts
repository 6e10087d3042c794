import { VsecError } from "../base/errors.ts";
import { localFailure } from "./failure.ts";

/** The most that is read from standard input or a file: what the API accepts as a body. */
export const STDIN_BYTES_MAX = 33_554_432;

/** A place to write text to. */
export interface Sink {
  readonly isTTY: boolean;
  /** True once the reader has gone away (`| head`), which counts as success. */
  readonly isBroken: boolean;
  /** Resolves when the text was handed on. A reader that went away is no error. */
  write(text: string): Promise<void>;
}

/** Standard input. */
export interface Source {
  readonly isTTY: boolean;
  /** Everything up to the end. @throws VsecError USAGE above `bytesMax`. */
  readAll(bytesMax: number): Promise<string>;
}

const isBrokenPipe = (error: unknown): boolean => (error as NodeJS.ErrnoException | null)?.code === "EPIPE";

/** A sink over a process stream. */
export function streamSink(stream: NodeJS.WriteStream): Sink {
  let broken = false;
  // The callback of each write carries its error; without a listener the same error would end the process as well.
  stream.on("error", (error) => {
    broken ||= isBrokenPipe(error);
  });
  return {
    isTTY: stream.isTTY === true,
    get isBroken() {
      return broken;
    },
    write(text) {
      if (broken || text === "") return Promise.resolve();
      return new Promise((resolve, reject) => {
        stream.write(text, (error) => {
          if (error === undefined || error === null) return resolve();
          if (!isBrokenPipe(error)) {
            const reason = `could not write the output: ${error.message}`;
            return reject(localFailure(reason, error));
          }
          broken = true;
          resolve();
        });
      });
    },
  };
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
