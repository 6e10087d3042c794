import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { type Child, type ChildEnd, startChild } from "../../platform/child/child.ts";
import { findProgram, startable } from "../../platform/child/program.ts";
import { localFailure } from "../failure.ts";
import type { AgentProcess } from "./config.ts";

/** How long a process has to end before it is killed; as Vault's agent has it. */
const STOP_MS = 30_000;

/** The process of `exec`: started with its variables, and anew when they have changed. */
export class SupervisedProcess {
  readonly #process: AgentProcess;
  readonly #clock: Clock;
  readonly #ended = Promise.withResolvers<ChildEnd>();
  #child: Child | undefined;
  #shown = "";
  /** Counts starts, so that an end that was wanted is known as one. */
  #start = 0;

  constructor(process: AgentProcess, clock: Clock) {
    this.#process = process;
    this.#clock = clock;
  }

  /** Resolves when it has ended by itself; rejects when it cannot be started. */
  get ended(): Promise<ChildEnd> {
    return this.#ended.promise;
  }

  /** Starts it, or starts it anew where the variables are others than before. */
  async give(
    variables: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string>>,
  ): Promise<void> {
    const shown = JSON.stringify(variables);
    if (this.#child !== undefined && (shown === this.#shown || !this.#process.restarts)) return;
    this.#shown = shown;
    await this.stop();
    const start = ++this.#start;
    try {
      const child = await this.#begin({ ...env, ...variables });
      this.#child = child;
      void child.ended.then((end) => {
        if (start === this.#start) this.#ended.resolve(end);
      });
    } catch (error) {
      // Another try would fare no better: whoever waits for its end is told.
      this.#ended.reject(error);
      throw error;
    }
  }

  async #begin(env: Readonly<Record<string, string>>): Promise<Child> {
    const { command } = this.#process;
    const [name = ""] = command;
    const found = findProgram(name, env.PATH ?? "");
    if (!("path" in found)) throw localFailure(`exec: ${name}: command not found`);
    try {
      return await startChild({ ...startable(found.path, command), env });
    } catch (error) {
      throw localFailure(`exec: ${messageOf(error)}`, error);
    }
  }

  /** Hands a signal on. */
  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends it, and waits for that. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    this.#start += 1;
    child.kill(this.#process.stopSignal);
    const ended = new AbortController();
    void child.ended.finally(() => ended.abort());
    await this.#clock.sleep(STOP_MS, ended.signal);
    if (!ended.signal.aborted) child.kill("SIGKILL");
    await child.ended;
  }
}
