import { type ChildProcess, spawn } from "node:child_process";
import { messageOf } from "../../../../base/errors.ts";
import { DatabaseError } from "../../plugin.ts";

/** What a program may print as its answer. */
export const ANSWER_BYTES_MAX = 1_048_576;
/** What is kept of its complaints, from the end. */
const COMPLAINT_BYTES_MAX = 2_000;

export interface Invocation {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Written to its standard input, and nowhere else. */
  readonly request: string;
}

/** How a program ended that had the time to. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
  /** The last of what it wrote to standard error. */
  readonly complaint: string;
}

/**
 * Runs a program once, in a process group of its own, with nothing of this process's environment and in the root folder.
 * Nothing that it starts outlives it.
 * @throws DatabaseError `unreachable` when it cannot be started; `ambiguous` when it took too long or printed too much,
 * and was killed.
 */
export function runProgram(invocation: Invocation, running: Set<ChildProcess>): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = start(invocation);
    running.add(child);
    const output = new Collector();
    let complaint = Buffer.alloc(0);
    let failure: DatabaseError | undefined;
    const kill = (reason: DatabaseError): void => {
      failure ??= reason;
      killGroup(child);
    };
    const tooLate = `it did not end within ${invocation.timeoutMs / 1000} s`;
    const timer = setTimeout(() => kill(new DatabaseError("ambiguous", tooLate)), invocation.timeoutMs);
    child.stdout?.on("data", (chunk: Buffer) => {
      if (!output.add(chunk))
        kill(new DatabaseError("ambiguous", `it printed more than ${ANSWER_BYTES_MAX} bytes`));
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      complaint = Buffer.concat([complaint, chunk]).subarray(-COMPLAINT_BYTES_MAX);
    });
    child.once("error", (error) => {
      failure ??= new DatabaseError("unreachable", `it cannot be started: ${messageOf(error)}`);
      finish(null, null);
    });
    // What it started in its group holds the pipes open; the end of the program is the end of them all.
    child.once("exit", () => killGroup(child));
    child.once("close", (code, signal) => finish(code, signal));
    const finish = (code: number | null, signal: string | null): void => {
      clearTimeout(timer);
      running.delete(child);
      if (failure !== undefined) reject(failure);
      else resolve({ code, signal, output: output.text(), complaint: complaint.toString("utf8").trim() });
    };
    // A program that does not read its request ends early, which its answer or its exit code tells.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(invocation.request);
  });
}

function start({ file, arguments: args, environment }: Invocation): ChildProcess {
  const env = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    LANG: "C.UTF-8",
    ...environment,
  };
  return spawn(file, args, { cwd: "/", env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
}

/** Ends a program and everything in its process group. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
}

class Collector {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  /** @returns False when it is too much. */
  add(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > ANSWER_BYTES_MAX) return false;
    this.#chunks.push(chunk);
    return true;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}
