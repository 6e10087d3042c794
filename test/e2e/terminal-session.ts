/** A command on a pseudo-terminal of its own, as a person has it in a window. */

import { atExit, until } from "../servers/process.ts";
import type { World } from "./world.ts";

export class TerminalSession {
  /** Everything the terminal has been sent. */
  output = "";
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  readonly #child: Bun.Subprocess;

  /** @param command - The program and its arguments; it leads the terminal's session. */
  constructor(world: World, command: readonly string[]) {
    this.#child = Bun.spawn([...command], {
      cwd: world.home,
      env: { ...world.environment, TERM: "xterm", PS1: "shell> " },
      terminal: {
        cols: 100,
        rows: 30,
        data: (_, bytes) => {
          this.output += Buffer.from(bytes).toString("utf8");
        },
      },
    });
    const forget = atExit(() => this.#child.kill("SIGKILL"));
    this.ended = this.#child.exited.then(() => {
      forget();
      const signal = this.#child.signalCode as string | null;
      return { code: signal === null ? this.#child.exitCode : null, signal };
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  type(text: string): void {
    this.#child.terminal?.write(text);
  }

  resize(cols: number, rows: number): void {
    this.#child.terminal?.resize(cols, rows);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Closes the window. */
  hangUp(): void {
    this.#child.terminal?.close();
  }

  /** Waits until the terminal shows this, `times` times. */
  async shows(text: string, times = 1): Promise<void> {
    try {
      await until(`"${text}" on the terminal`, () => this.output.split(text).length > times);
    } catch (error) {
      throw new TypeError(`the terminal shows ${JSON.stringify(this.output)}`, { cause: error });
    }
  }
}
