import { write } from "node:fs";
import { promisify } from "node:util";
import type { Clock } from "../../../base/clock.ts";
import { messageOf, VsecError } from "../../../base/errors.ts";
import { Batches } from "./batches.ts";
import type { AuditDevice, Console } from "./port.ts";

const STDOUT = 1;
/** How long a reader that does not read holds a request up. */
const RETRIES_MAX = 200;
const RETRY_MS = 10;

/** Writes lines to standard output. */
export function stdoutDevice(console: Console): AuditDevice {
  const batches = new Batches(console);
  return {
    open: () => Promise.resolve(),
    write: (lines) => batches.add(lines),
    reopen: () => Promise.resolve(),
    close: () => batches.idle(),
  };
}

/** Takes lines and keeps none. */
export function discardDevice(): AuditDevice {
  const nothing = (): Promise<void> => Promise.resolve();
  return { open: nothing, write: nothing, reopen: nothing, close: nothing };
}

const writeSome = promisify(write) as unknown as (
  fd: number,
  bytes: Buffer,
  at: number,
) => Promise<{ readonly bytesWritten: number }>;

/** This process's standard output, waiting a while for a full pipe. */
export function processStdout(clock: Clock, fd: number = STDOUT): Console {
  return async (text) => {
    const bytes = Buffer.from(text, "utf8");
    let retries = 0;
    for (let at = 0; at < bytes.length; ) {
      try {
        at += (await writeSome(fd, bytes, at)).bytesWritten;
      } catch (error) {
        const isFull = error instanceof Error && "code" in error && error.code === "EAGAIN";
        retries += 1;
        if (!isFull || retries > RETRIES_MAX) {
          throw new VsecError("FILE", `cannot write standard output: ${messageOf(error)}`, { cause: error });
        }
        await clock.sleep(RETRY_MS);
      }
    }
  };
}
