/** A person's machine for one test: a home of its own, a store of its own, and the compiled binary. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { built } from "../binary/built.ts";
import { atExit, temporaryDirectory, until } from "../servers/process.ts";
import { IN_PROCESS, type Place, placeFor, type Transport } from "./transport.ts";

export type Binary = "vsec" | "vsec-failpoints";
type Variables = Readonly<Record<string, string | undefined>>;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Over the world's own variables; undefined takes one away. */
  readonly env?: Variables;
  readonly stdin?: string;
  /** Ends the process by SIGKILL after so many milliseconds. */
  readonly killAfterMs?: number;
}

/** A command as it is typed, split at its spaces; or its arguments one by one, where one of them has spaces. */
export type Line = string | readonly string[];

/** A running command. */
export interface Running {
  readonly pid: number;
  /** What it has written to standard error up to now. */
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

/** Said of a command, or a daemon, that a test expected to succeed. */
class CommandFailed extends Error {}

export class World {
  readonly home: string;
  readonly store: string;
  readonly tokenFile: string;
  /** The path of the compiled binary. */
  readonly binary: string;
  readonly #env: Variables;
  readonly #remove: () => void;
  #place: Place = IN_PROCESS;
  /** The daemon that carries out the commands' requests. */
  #server: Running | undefined;

  /** @param env - Variables of every command, beside PATH, HOME and VSEC_STORE, which are all that it gets else. */
  constructor(binary: Binary = "vsec", env: Variables = {}) {
    const directory = temporaryDirectory("vsec-world-");
    this.#remove = () => directory.remove();
    this.home = join(directory.path, "home");
    mkdirSync(this.home, { mode: 0o700 });
    this.store = join(this.home, "store");
    this.tokenFile = join(this.home, ".vsec-token");
    this.binary = built(binary);
    this.#env = {
      PATH: process.env.PATH ?? "",
      HOME: this.home,
      XDG_RUNTIME_DIR: join(this.home, "runtime"),
      VSEC_STORE: this.store,
      ...env,
    };
    mkdirSync(join(this.home, "runtime"), { mode: 0o700 });
  }

  /**
   * Has every command from now on reach the API in this way: for a socket or TLS a daemon is started, whether or not there is
   * a store yet.
   */
  async reachOver(transport: Transport): Promise<void> {
    this.#place = await placeFor(transport, this.home, this.store);
    await this.#serve({});
  }

  /** What error messages show before `/v1/…`. */
  get address(): string {
    return this.#place.address;
  }

  /** Does `work` while requests are carried out with these variables as well, wherever that is. */
  async where<T>(env: Variables, work: (options: RunOptions) => Promise<T>): Promise<T> {
    if (this.#server === undefined) return work({ env });
    await this.#stopServing();
    await this.#serve(env);
    try {
      return await work({});
    } finally {
      await this.#stopServing();
      await this.#serve({});
    }
  }

  async #serve(env: Variables): Promise<void> {
    const { daemon } = this.#place;
    if (daemon === null) return;
    this.#server = await this.daemon({ env }, daemon);
  }

  /** @throws CommandFailed when it had ended before, or does not end well: the commands would have gone another way. */
  async #stopServing(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.kill("SIGTERM");
    const { code, signal, stderr } = await server.ended;
    if (code !== 0 || !stderr.includes("stopped"))
      throw new CommandFailed(`the daemon ended with ${code ?? signal}\n${stderr}`);
  }

  /** The variables of every command. */
  get environment(): Readonly<Record<string, string>> {
    const all = { ...this.#env, ...this.#place.env };
    return Object.fromEntries(
      Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
  }

  /** Starts a command in the home directory. */
  start(line: Line, options: RunOptions = {}): Running {
    const args = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
    const child = spawn(this.binary, args, {
      cwd: this.home,
      env: { ...this.#env, ...this.#place.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    return watch(child, options);
  }

  /** Runs a command to its end. */
  run(line: Line, options: RunOptions = {}): Promise<Ended> {
    return this.start(line, options).ended;
  }

  /** Runs a command that must succeed. @returns Its standard output. */
  async ok(line: Line, options: RunOptions = {}): Promise<string> {
    const { code, signal, stdout, stderr } = await this.run(line, options);
    if (code !== 0) {
      const shown = typeof line === "string" ? line : line.join(" ");
      throw new CommandFailed(`vsec ${shown}: exit ${code ?? signal}\n${stdout}${stderr}`);
    }
    return stdout;
  }

  /** Runs a command that must succeed and answers in JSON. */
  async json<T>(line: Line, options: RunOptions = {}): Promise<T> {
    return JSON.parse(await this.ok(line, { ...options, env: { VSEC_FORMAT: "json", ...options.env } })) as T;
  }

  /** Starts the daemon, and waits until it says that it has. */
  async daemon(options: RunOptions = {}, flags: readonly string[] = []): Promise<Running> {
    const running = this.start(["daemon", ...flags], options);
    let hasEnded = false;
    void running.ended.then(() => {
      hasEnded = true;
    });
    await until("the daemon's first line", () => hasEnded || running.stderr().includes("started"));
    if (hasEnded) throw new CommandFailed(`the daemon did not start\n${running.stderr()}`);
    return running;
  }

  /** Writes a file of the home directory, readable by its owner alone. @returns Its name. */
  file(name: string, content: string | Uint8Array): string {
    writeFileSync(join(this.home, name), content, { mode: 0o600 });
    return name;
  }

  /** For a world that no daemon serves. */
  remove(): void {
    this.#remove();
  }

  /** Ends the daemon that serves it, if any, and removes everything. @throws CommandFailed for a daemon that failed. */
  async close(): Promise<void> {
    try {
      await this.#stopServing();
    } finally {
      this.#remove();
    }
  }
}

function watch(child: ChildProcess, { stdin = "", killAfterMs }: RunOptions): Running {
  let [stdout, stderr] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  // A command that does not read its input may be gone before it is written.
  child.stdin?.on("error", () => undefined).end(stdin);
  const forget = atExit(() => child.kill("SIGKILL"));
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  child.once("error", reject);
  child.once("close", (code, signal) => {
    clearTimeout(timer);
    forget();
    resolve({ code, signal, stdout, stderr });
  });
  return {
    pid: child.pid ?? 0,
    stderr: () => stderr,
    kill: (signal) => void child.kill(signal),
    ended: promise,
  };
}
