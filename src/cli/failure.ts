import { EXIT } from "../contract/exit-codes.ts";
import type { Outcome } from "./outcome.ts";

interface FailureOptions {
  readonly cause?: unknown;
  readonly outcome?: Outcome;
  readonly status?: number;
}

/** Ends a command: a text for standard error, and the exit code. Leaf code throws it; `run.ts` is the one that acts on it. */
export class CommandFailure extends Error {
  readonly exitCode: number;
  /** What is shown nevertheless, on standard output. */
  readonly outcome: Outcome | undefined;
  /** The status of the API's answer, where there was one. */
  readonly status: number | undefined;

  constructor(exitCode: number, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CommandFailure";
    this.exitCode = exitCode;
    this.outcome = options.outcome;
    this.status = options.status;
  }
}

/** The caller's mistake, or something on this side: exit 1. */
export function localFailure(message: string, cause?: unknown): CommandFailure {
  return new CommandFailure(EXIT.local.code, message, { cause });
}

/** The API said no, could not be reached, or there is no such value: exit 2. */
export function remoteFailure(message: string, options: FailureOptions = {}): CommandFailure {
  return new CommandFailure(EXIT.remote.code, message, options);
}

/** Ends a command early with a text on standard output and exit 0 (`-output-curl-string`, `-output-policy`). */
export class PrintedInstead extends Error {
  readonly text: string;

  constructor(text: string) {
    super("printed instead of sent");
    this.name = "PrintedInstead";
    this.text = text;
  }
}
