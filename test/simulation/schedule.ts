import { silentLog } from "../../src/base/log.ts";
import { runLoop } from "../../src/daemon/loop.ts";
import { Chance } from "./chance.ts";
import { SEALED_EVERY } from "./clear-barrier.ts";
import { drawFaults, type Faults } from "./faults.ts";
import { type Promised, Violation, Watch } from "./invariants.ts";
import { Scheduler } from "./scheduler.ts";
import { Workload } from "./workload.ts";
import { type Defects, type Process, World } from "./world.ts";

/** What became of one schedule. */
export interface Outcome {
  readonly seed: number;
  /** Null: every promise was kept. */
  readonly violation: { readonly promise: Promised; readonly detail: string } | null;
  readonly journal: readonly string[];
  readonly faults: Faults;
  readonly figures: Figures;
}

export interface Figures {
  readonly steps: number;
  readonly looks: number;
  readonly crashes: number;
  readonly issued: number;
}

const COMMANDS = 2;
const ACTIONS = 7;
const STEPS_MAX = 900;
/** Sleeps of the daemon's loop are this much longer: what matters is what it meets, not how often it looks. */
const DAEMON_STRETCH = 20;
const HEAL_ROUNDS_MAX = 400;

/** One schedule, all of it decided by its seed. */
class Schedule {
  readonly #chance: Chance;
  readonly faults: Faults;
  readonly watch = new Watch();
  readonly #world: World;
  readonly workload: Workload;
  readonly #processes = new Set<Process>();
  #actionsLeft = COMMANDS * ACTIONS;
  #running = 0;
  #jumped = false;
  #failure: unknown;
  crashes = 0;

  constructor(parts: {
    chance: Chance;
    faults: Faults;
    watch: Watch;
    world: World;
    ttlSeconds: number;
    preflights: number | undefined;
  }) {
    this.#chance = parts.chance;
    this.faults = parts.faults;
    this.watch = parts.watch;
    this.#world = parts.world;
    this.watch.attach(parts.world);
    const { world, watch, ttlSeconds, preflights } = parts;
    this.workload = new Workload(world, watch, parts.chance.fork(), ttlSeconds, preflights);
  }

  get steps(): number {
    return this.#world.scheduler.steps;
  }

  async run(): Promise<void> {
    const { scheduler } = this.#world;
    scheduler.isCalm = false;
    for (let index = 0; index < COMMANDS; index += 1) await this.#start("command");
    for (let index = 0; index < this.faults.daemons; index += 1) await this.#start("daemon");
    while (scheduler.steps < STEPS_MAX && (this.#actionsLeft > 0 || this.#running > 0)) {
      await Scheduler.settle();
      await this.#look();
      await this.#meddle();
      if (!scheduler.step()) break;
    }
    await Scheduler.settle();
    await this.#look();
    await this.#heal();
  }

  async #look(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.watch.look();
  }

  async #start(kind: Process["kind"]): Promise<void> {
    const process = await this.#world.start(kind);
    this.#processes.add(process);
    const life = kind === "command" ? this.#command(process) : this.#daemon(process);
    life.catch((error: unknown) => {
      this.#failure ??= error;
    });
  }

  async #command(process: Process): Promise<void> {
    while (this.#actionsLeft > 0) {
      this.#actionsLeft -= 1;
      this.#running += 1;
      await this.#world.scheduler.point(process);
      await this.workload.act(process);
      this.#running -= 1;
    }
  }

  #daemon(process: Process): Promise<void> {
    const clock = this.#world.scheduler.clockOf(process, DAEMON_STRETCH);
    const { signal } = new AbortController();
    return runLoop(process.core, { clock, log: silentLog, signal });
  }

  /** What the world does to the processes between two steps. */
  async #meddle(): Promise<void> {
    const { scheduler, database, disk } = this.#world;
    if (this.#chance.roll(this.faults.crash)) await this.#crash();
    if (database.isDown ? this.#chance.roll(0.03) : this.#chance.roll(this.faults.outage)) {
      if (database.isDown) database.isDown = false;
      else database.goDown();
    }
    if (disk.isFull ? this.#chance.roll(0.1) : this.#chance.roll(this.faults.diskFull)) {
      disk.isFull = !disk.isFull;
    }
    if (this.#jumped || !this.#chance.roll(0.01)) return;
    // A machine that was suspended for hours comes back without its connections: nothing is on its way to the database then.
    if (this.faults.time === "jumps-forward" && (await this.watch.isCreating())) return;
    this.#jumped = true;
    if (this.faults.time === "pauses") {
      scheduler.pause(this.#chance.int(400_000));
      this.watch.clockJumped(0);
    }
    if (this.faults.time === "jumps-forward") this.#jump(this.#chance.int(10 * 3_600_000));
    if (this.faults.time === "jumps-back") this.#jump(-this.#chance.int(20 * 60_000));
  }

  #jump(ms: number): void {
    this.#world.scheduler.jump(ms);
    this.watch.clockJumped(ms);
  }

  async #crash(): Promise<void> {
    const alive = [...this.#processes];
    const victim = alive[this.#chance.int(alive.length)];
    if (victim === undefined) return;
    this.crashes += 1;
    this.#kill(victim);
    await this.#start(victim.kind);
  }

  #kill(victim: Process): void {
    this.workload.journal.push(`${this.#world.scheduler.elapsedMs} ${victim.name} dies`);
    this.#world.scheduler.kill(victim);
    this.#world.database.clientDied(victim);
    this.#processes.delete(victim);
    if (victim.kind === "command" && this.#running > 0) this.#running -= 1;
  }

  /** All is well again: what was under way has ended, one fresh process does what is due until nothing is. */
  async #heal(): Promise<void> {
    const { scheduler, database, disk } = this.#world;
    for (const process of this.#processes) this.#kill(process);
    scheduler.isCalm = true;
    disk.isFull = false;
    database.heal();
    await this.watch.look();
    const { core } = await this.#world.start("daemon");
    for (let round = 0; await this.#isSomethingLeft(); round += 1) {
      if (round === HEAL_ROUNDS_MAX) throw new Violation("leftOver", "there is always something due");
      const next = (await core.nextDue()) ?? scheduler.wall;
      scheduler.pause(Math.max(0, next - scheduler.wall));
      await core.doDue(await core.claimDue(500));
      await this.watch.look();
    }
    await this.#lookAtTheEnd();
  }

  /** Whether work is due that has an end: not the looks at a static role that is as it should be, nor rotations to come. */
  async #isSomethingLeft(): Promise<boolean> {
    const { observer, database } = this.#world;
    const { entries } = await observer.scan("", { limit: 10_000 });
    const mount = await this.watch.mount();
    const role = mount === undefined || mount.retired ? null : await this.watch.staticRole(mount.uuid);
    if (role !== null && role.next !== null) return true;
    const hasConnection = entries.some(({ key }) => key === `mount/${mount?.uuid}/config/db`);
    // Without its connection a role is let be.
    if (role !== null && hasConnection && role.password !== database.passwordOf(role.username)) return true;
    return entries.some(
      ({ key, dueAt }) => dueAt !== null && !/^mount\/[^/]+\/(static-roles|config)\//.test(key),
    );
  }

  async #lookAtTheEnd(): Promise<void> {
    const { observer, database } = this.#world;
    for (const prefix of ["lease", "core/retired"]) {
      const { entries } = await observer.scan(`${prefix}/`, { limit: 10 });
      const [entry] = entries;
      if (entry !== undefined) throw new Violation("leftOver", entry.key);
    }
    const [username] = database.users.keys();
    if (username !== undefined) throw new Violation("leftOver", `user ${username}`);
    const mount = await this.watch.mount();
    if (mount === undefined) return;
    if (mount.retired) throw new Violation("leftOver", "a disabled mount");
    const { admin, passwords } = await this.watch.connection(mount.uuid);
    if (admin !== null && passwords[0] !== database.passwordOf(admin)) {
      throw new Violation("stuck", "another password is in force");
    }
  }
}

/** Runs the schedule of one seed. */
export async function runSchedule(seed: number, defects: Defects = {}): Promise<Outcome> {
  const chance = new Chance(seed);
  const faults = drawFaults(chance);
  const watch = new Watch();
  const isSealed = seed % SEALED_EVERY === 0;
  const world = await World.create({ chance, faults, watch, defects, isSealed });
  const ttlSeconds = chance.pick([40, 120, 400]);
  const schedule = new Schedule({ chance, faults, watch, world, ttlSeconds, preflights: defects.preflights });
  let violation: Outcome["violation"] = null;
  try {
    await world.configure(ttlSeconds);
    await schedule.run();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = { promise: error.promise, detail: error.message };
  }
  const figures = {
    steps: schedule.steps,
    looks: watch.looks,
    crashes: schedule.crashes,
    issued: watch.credentials.size,
  };
  return { seed, violation, journal: schedule.workload.journal, faults, figures };
}
