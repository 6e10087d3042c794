import { readFileSync } from "node:fs";
import { VsecError } from "../../base/errors.ts";
import { CannotStart } from "./cannot-start.ts";
import type { Child, ChildEnd, ObservedOptions } from "./child.ts";
import { drained, handOn, ownSize } from "./output-terminal.ts";
import { isInForeground } from "./program.ts";
import { TerminalMode } from "./terminal-mode.ts";

/** ISIG of termios(3): keys make signals. */
const ISIG = process.platform === "linux" ? 0o1 : 0x80;
/** How often a command in the background is looked at, whether it is in the foreground by now. */
const LOOK_MS = 200;
/** VSUSP as terminals have it: Ctrl-Z. */
const SUSPEND_KEY = 0x1a;

/**
 * A child with a terminal of its own, whose every key comes from ours and whose every character goes there. Ours is raw
 * meanwhile, so that keys become signals in the child's terminal and nowhere else: prompts, full-screen programs and shells
 * with jobs of their own work as they do without us.
 *
 * A program that is alone in its terminal has nobody who could start it again after Ctrl-Z, and the system does not let it
 * stop. So that key is ours where it would go to such a program: its group is stopped, our terminal is put right, and this
 * process stops, as the shell that started it expects; when it is continued, all of that is undone: in the background all but the keys,
 * which are taken again when it comes to the foreground.
 */
export function sessionChild(options: ObservedOptions): Child {
  const { columns, rows } = ownSize();
  const [, ...args] = options.argv;
  const closed = Promise.withResolvers<void>();
  let pieces = 0;
  let child: Bun.Subprocess;
  try {
    child = Bun.spawn([options.file, ...args], {
      ...(options.argv[0] === undefined ? {} : { argv0: options.argv[0] }),
      env: { ...options.env },
      terminal: {
        cols: columns,
        rows,
        data: (_, bytes) => {
          pieces += 1;
          handOn(options, "stdout", bytes);
        },
        exit: () => closed.resolve(),
      },
    });
  } catch (error) {
    throw new CannotStart(options.file, error);
  }
  const { terminal } = child;
  if (terminal === undefined) throw new VsecError("FILE", "the system gives no pseudo-terminal");
  const relay = new Relay(child.pid, terminal);
  relay.start();
  const ended = child.exited.then(async (): Promise<ChildEnd> => {
    await drained(() => pieces, closed.promise);
    relay.stop();
    terminal.close();
    const signal = child.signalCode as NodeJS.Signals | null;
    return { code: signal === null ? child.exitCode : null, signal };
  });
  return { pid: child.pid, sharesGroup: false, kill: (signal) => child.kill(signal), ended };
}

/** Keys and sizes, from our terminal to the child's. */
class Relay {
  readonly #pid: number;
  readonly #terminal: Bun.Terminal;
  readonly #mode = new TerminalMode();
  readonly #onKeys = (keys: Uint8Array): void => this.#pass(keys);
  readonly #onResize = (): void => this.#resize();
  readonly #onStop = (): void => this.#suspend();
  readonly #onContinue = (): void => this.#enter();
  #hasTerminal = false;
  #look: NodeJS.Timeout | undefined;

  constructor(pid: number, terminal: Bun.Terminal) {
    this.#pid = pid;
    this.#terminal = terminal;
  }

  start(): void {
    const { stdin } = process;
    this.#enter();
    stdin.on("data", this.#onKeys);
    stdin.on("error", ignore);
    process.on("SIGWINCH", this.#onResize);
    process.on("SIGTSTP", this.#onStop);
    process.on("SIGCONT", this.#onContinue);
  }

  stop(): void {
    const { stdin } = process;
    stdin.off("data", this.#onKeys);
    process.off("SIGWINCH", this.#onResize);
    process.off("SIGTSTP", this.#onStop);
    process.off("SIGCONT", this.#onContinue);
    this.#leave();
    stdin.unref?.();
  }

  /** Takes our terminal's keys, unless they are somebody else's now: of a shell that goes on with us in the background. */
  #enter(): void {
    if (this.#hasTerminal) return;
    clearTimeout(this.#look);
    if (!isInForeground()) {
      // Shells say nothing to who runs already when they put it into the foreground.
      this.#look = setTimeout(() => this.#enter(), LOOK_MS);
      this.#look.unref();
      return;
    }
    this.#hasTerminal = true;
    this.#mode.makeRaw();
    process.stdin.resume();
    this.#resize();
  }

  #leave(): void {
    clearTimeout(this.#look);
    process.stdin.pause();
    if (this.#hasTerminal) this.#mode.restore();
    this.#hasTerminal = false;
  }

  #pass(keys: Uint8Array): void {
    const at = this.#isAloneInItsTerminal(keys) ? keys.indexOf(SUSPEND_KEY) : -1;
    if (at === -1) {
      this.#terminal.write(keys);
      return;
    }
    this.#terminal.write(keys.subarray(0, at));
    this.#suspend();
    this.#pass(keys.subarray(at + 1));
  }

  /** Whether Ctrl-Z among these keys would be a signal to the child's own group, which could not stop. */
  #isAloneInItsTerminal(keys: Uint8Array): boolean {
    if (!keys.includes(SUSPEND_KEY) || (this.#terminal.localFlags & ISIG) === 0) return false;
    return foregroundGroup(this.#pid) === this.#pid;
  }

  #suspend(): void {
    process.off("SIGTSTP", this.#onStop);
    signalGroup(this.#pid, "SIGSTOP");
    this.#leave();
    // Everybody in our group, as the key does it: whatever started us is to stop as well. This process stops here.
    process.kill(0, "SIGTSTP");
    this.#enter();
    signalGroup(this.#pid, "SIGCONT");
    process.on("SIGTSTP", this.#onStop);
  }

  #resize(): void {
    const { columns, rows } = ownSize();
    if (!this.#terminal.closed) this.#terminal.resize(columns, rows);
  }
}

/** The group that a process's terminal sends its keys' signals to. @see proc_pid_stat(5), field 8 */
function foregroundGroup(pid: number): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[5]);
  } catch {
    // Not Linux, or just ended: the key goes where it would go anyway.
    return null;
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

function ignore(): void {
  // A terminal that was closed: the signal that comes with it is what counts.
}
