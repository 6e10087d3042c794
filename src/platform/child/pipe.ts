import { closeSync } from "node:fs";

/** A pipe of the system's own kind. */
export interface Pipe {
  /** What is written into it, read as it is asked for. */
  readonly output: AsyncIterable<Uint8Array>;
  /** For the child. Ours is closed with {@link Pipe.handOver} once it has been started. */
  readonly input: number;
  handOver(): void;
  /** Ends reading: who writes on gets SIGPIPE. */
  close(): void;
}

const LIBRARIES = ["libc.so.6", "libc.so", "libSystem.dylib"];

/**
 * Makes a pipe. What the runtime gives a child for one is a socket, which a script cannot open as `/dev/stderr`, and whose
 * writers get a connection reset in the place of SIGPIPE when nobody reads any more. Null where the C library cannot be
 * reached: then a socket has to do.
 */
export async function openPipe(): Promise<Pipe | null> {
  const descriptors = await descriptorPair();
  if (descriptors === null) return null;
  const [reading, writing] = descriptors;
  // Not a stream of node:fs: that one keeps a thread of the few there are for as long as nothing is written.
  const stream = Bun.file(reading).stream();
  const given = new AbortController();
  return {
    output: piecesOf(stream, given.signal),
    input: writing,
    handOver: once(() => closeSync(writing)),
    close: once(() => {
      given.abort();
      closeSync(reading);
    }),
  };
}

/** A read that is under way holds the pipe open, whatever becomes of its descriptor, and this process as well: it is given up. */
async function* piecesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  givenUp: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  givenUp.addEventListener("abort", () => void reader.cancel().catch(() => undefined));
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield piece.value;
}

/** A descriptor that is closed twice may be somebody else's by then. */
function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}

async function descriptorPair(): Promise<readonly [number, number] | null> {
  if (process.platform === "win32") return null;
  const { dlopen } = await import("bun:ffi");
  for (const name of LIBRARIES) {
    try {
      const { symbols } = dlopen(name, { pipe: { args: ["ptr"], returns: "int" } });
      const pair = new Int32Array(2);
      const [reading, writing] = symbols.pipe(pair) === 0 ? pair : [];
      return reading === undefined || writing === undefined ? null : [reading, writing];
    } catch {
      // Not the name that this system has for it.
    }
  }
  return null;
}
