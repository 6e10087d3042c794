/** A shell of a person who reads a page: what one command sets, or starts in the background, is there for the next. */

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { atExit, until } from "../servers/process.ts";

/** What a command has come to. */
export interface Ran {
  readonly code: number | null;
  /** Standard output and error, as they would stand on a terminal. */
  readonly printed: string;
}

/** Where commands run. */
export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where commands and their output are kept, apart from the reader's own files. */
  readonly notes: string;
  /** What a shell is started by, as in `unshare --mount`; empty: nothing. */
  readonly startedBy: readonly string[];
}

const COMMAND_MS_MAX = 40_000;

/** Said of a shell in which a command has not come to its end. */
class ShellStuck extends Error {}

export class ReaderShell {
  readonly #surroundings: Surroundings;
  readonly #child: ChildProcess;
  readonly #forget: () => void;
  #count = 0;
  #hasEnded = false;
  /** The command that is under way. */
  #running: string | undefined;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#child = this.#start(["--noprofile", "--norc"], ["pipe", "inherit", "inherit"]);
    this.#child.stdin?.on("error", () => undefined);
    this.#forget = atExit(() => signal(this.#child, "SIGKILL"));
    this.#child.once("close", () => {
      this.#hasEnded = true;
    });
  }

  /** Runs a command to its end. @param input - What is typed while it runs. */
  async run(command: string, input: string): Promise<Ran> {
    if (this.#running !== undefined) throw new ShellStuck(`still at: ${this.#running}`);
    const place = this.#note(command, input);
    this.#running = command;
    const steps = [
      `eval "$(cat ${place}.sh)" <${place}.in >${place}.out 2>&1`,
      `printf %s "$?" >${place}.draft`,
      `mv ${place}.draft ${place}.code`,
    ];
    this.#child.stdin?.write(`${steps.join("; ")}\n`);
    const hasRun = () => this.#hasEnded || existsSync(`${place}.code`);
    await until(`the end of ${command}`, hasRun, COMMAND_MS_MAX);
    this.#running = undefined;
    const printed = readFileSync(`${place}.out`, "utf8");
    return { code: this.#hasEnded ? null : Number(readFileSync(`${place}.code`, "utf8")), printed };
  }

  /** Runs a command that stays, until `isUp`, and then ends it as Ctrl-C does. */
  async runUntil(command: string, input: string, isUp: () => boolean | Promise<boolean>): Promise<Ran> {
    const place = this.#note(command, input);
    const [stdin, output] = [openSync(`${place}.in`, "r"), openSync(`${place}.out`, "a")];
    const child = this.#start(["--norc", "-c", `exec ${command}`], [stdin, output, output]);
    for (const file of [stdin, output]) closeSync(file);
    const forget = atExit(() => signal(child, "SIGKILL"));
    let ended: { readonly code: number | null } | undefined;
    const close = new Promise<void>((resolve) => {
      child.once("close", (code) => {
        ended = { code };
        resolve();
      });
    });
    try {
      await until(
        `${command} to be there`,
        async () => ended !== undefined || (await isUp()),
        COMMAND_MS_MAX,
      );
    } finally {
      if (ended === undefined) signal(child, "SIGINT");
      await close;
      forget();
    }
    return { code: ended?.code ?? null, printed: readFileSync(`${place}.out`, "utf8") };
  }

  /** Ends the shell and what it has left running. */
  async close(): Promise<void> {
    signal(this.#child, "SIGTERM");
    this.#child.stdin?.end();
    await until("the shell's end", () => this.#hasEnded);
    this.#forget();
  }

  /** In a group of its own, so that what it starts in the background ends with it. */
  #start(args: readonly string[], stdio: ("pipe" | "inherit" | number)[]): ChildProcess {
    const { cwd, env, startedBy } = this.#surroundings;
    const [file = "bash", ...rest] = [...startedBy, "bash", ...args];
    return spawn(file, rest, { cwd, env, stdio, detached: true });
  }

  #note(command: string, input: string): string {
    this.#count += 1;
    const place = join(this.#surroundings.notes, String(this.#count));
    writeFileSync(`${place}.sh`, command);
    writeFileSync(`${place}.in`, input);
    return place;
  }
}

/** Sends a signal to a process and all that it has started. */
function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, name);
  } catch (error) {
    // All of the group has ended.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
