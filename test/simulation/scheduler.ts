import type { Clock } from "../../src/base/clock.ts";
import type { Chance } from "./chance.ts";

/** A simulated process: what waits on its behalf vanishes when it dies. The database server is none (null). */
export interface Owner {
  readonly name: string;
  isAlive: boolean;
}

interface Waiter {
  readonly owner: Owner | null;
  readonly resume: () => void;
}

interface Timer extends Waiter {
  readonly at: number;
}

/** Everything that the code under test may await ends here: one waiter at a time goes on, chosen by chance. */
export class Scheduler {
  readonly #chance: Chance;
  #ready: Waiter[] = [];
  #timers: Timer[] = [];
  /** Milliseconds that have really passed. */
  elapsedMs = 0;
  /** How far the wall clock is off. */
  #offsetMs = 1_700_000_000_000;
  /** The latest time that anybody can have read from the clock. */
  wallMax = 0;
  /** Set while the world is set up and after it is healed: nothing waits, nothing fails. */
  isCalm = true;
  steps = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  get wall(): number {
    const now = this.elapsedMs + this.#offsetMs;
    if (now > this.wallMax) this.wallMax = now;
    return now;
  }

  jump(ms: number): void {
    this.#offsetMs += ms;
  }

  /** A place where another task may go on instead, or the process may die. */
  async point(owner: Owner | null): Promise<void> {
    if (this.isCalm) return;
    await new Promise<void>((resume) => {
      if (owner === null || owner.isAlive) this.#ready.push({ owner, resume });
    });
  }

  async sleep(owner: Owner | null, ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return;
    if (this.isCalm) {
      this.elapsedMs += ms;
      return;
    }
    await new Promise<void>((resume) => {
      const timer = { owner, at: this.elapsedMs + Math.max(0, ms), resume };
      if (owner === null || owner.isAlive) this.#timers.push(timer);
      signal?.addEventListener("abort", () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        resume();
      });
    });
  }

  /** A process's clock. `stretch` makes its sleeps that much longer, which a clock may. */
  clockOf(owner: Owner, stretch = 1): Clock {
    return {
      now: () => this.wall,
      sleep: (ms, signal) => this.sleep(owner, ms * stretch, signal),
    };
  }

  kill(owner: Owner): void {
    owner.isAlive = false;
    this.#ready = this.#ready.filter((waiter) => waiter.owner !== owner);
    this.#timers = this.#timers.filter((timer) => timer.owner !== owner);
  }

  /** Lets time pass while others wait: a suspended machine, a process that gets no processor. */
  pause(ms: number): void {
    this.elapsedMs += ms;
  }

  /** Lets all that can go on without waiting go on. */
  static settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** One task goes on. False: nobody waits. */
  step(): boolean {
    this.steps += 1;
    const due = this.#timers.filter((timer) => timer.at <= this.elapsedMs);
    if (this.#ready.length + due.length > 0) {
      const index = this.#chance.int(this.#ready.length + due.length);
      const waiter = this.#ready[index];
      if (waiter !== undefined) this.#ready.splice(index, 1);
      this.#go(waiter ?? due[index - this.#ready.length]);
      return true;
    }
    const next = this.#timers.reduce<Timer | undefined>(
      (least, timer) => (least === undefined || timer.at < least.at ? timer : least),
      undefined,
    );
    if (next === undefined) return false;
    this.elapsedMs = next.at;
    this.#go(next);
    return true;
  }

  #go(waiter: Waiter | undefined): void {
    if (waiter === undefined) return;
    this.#timers = this.#timers.filter((timer) => timer !== waiter);
    waiter.resume();
  }
}
