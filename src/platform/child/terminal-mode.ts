import { execFileSync } from "node:child_process";

/**
 * The mode of our own terminal, on standard input. Raw here means all of it: the runtime's raw mode goes on putting a carriage
 * return before each line feed, which spoils full-screen programs. stty(1) is in POSIX; without it the runtime's has to do.
 */
export class TerminalMode {
  #saved: string | undefined;

  /** Every key and every character goes through as it is. */
  makeRaw(): void {
    this.#saved = stty(["-g"])?.trim();
    if (this.#saved === undefined || stty(["raw", "-echo"]) === undefined) process.stdin.setRawMode(true);
  }

  /** Back to what it was. A terminal that was closed needs nothing put right. */
  restore(): void {
    if (this.#saved !== undefined) stty([this.#saved]);
    else {
      try {
        process.stdin.setRawMode(false);
      } catch {
        // As said above.
      }
    }
  }
}

/** @returns What it printed; undefined when it failed. */
function stty(args: readonly string[]): string | undefined {
  try {
    return execFileSync("stty", args, { encoding: "utf8", stdio: ["inherit", "pipe", "ignore"] });
  } catch {
    // No such program, or no terminal any more.
    return undefined;
  }
}
