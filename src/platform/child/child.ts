/** The streams that a child writes to. */
export type OutputStream = "stdout" | "stderr";

/** How a child ended: by itself, or by a signal. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  /** The program's path. */
  readonly file: string;
  /** All arguments, the name it is called by first. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /**
   * Takes what the child writes, in order, piece by piece. Absent: the child has this process's own streams. A pipe is read
   * on when the promise resolves; what goes to a terminal has to be written by then.
   */
  readonly consume?: (stream: OutputStream, bytes: Uint8Array) => Promise<void> | void;
}

/** A program that was started. */
export interface Child {
  readonly pid: number;
  /** True: it is in this process's group, so what a terminal's keys send reaches it without us. */
  readonly sharesGroup: boolean;
  /** Sends it a signal; one that has ended is no error. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended and what it wrote has been consumed. */
  readonly ended: Promise<ChildEnd>;
}

/**
 * Starts a program. Where its output is looked at, that is done so that it notices as little as it can: in the foreground of a
 * terminal that is on all three streams it gets a terminal of its own; where only some are, or in the background, those; what is
 * a pipe or a file stays a pipe.
 * @throws CannotStart
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { consume } = options;
  if (consume === undefined) {
    const { inheritingChild } = await import("./streams.ts");
    return inheritingChild(options);
  }
  const { isatty } = await import("node:tty");
  const { isInForeground } = await import("./program.ts");
  // In the background our terminal's keys are not ours to take, and whoever tries is stopped.
  if ([0, 1, 2].every((descriptor) => isatty(descriptor)) && isInForeground()) {
    const { sessionChild } = await import("./session.ts");
    return sessionChild({ ...options, consume });
  }
  const { observedChild } = await import("./streams.ts");
  return observedChild({ ...options, consume });
}

/** A child whose output is looked at. */
export type ObservedOptions = ChildOptions & { readonly consume: NonNullable<ChildOptions["consume"]> };
