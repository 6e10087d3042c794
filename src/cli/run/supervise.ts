import { delimiter } from "node:path";
import { messageOf } from "../../base/errors.ts";
import type { Child, ChildEnd } from "../../platform/child/child.ts";
import { startChild } from "../../platform/child/child.ts";
import { isInForeground } from "../../platform/child/program.ts";
import { systemDirectories } from "../../platform/directories.ts";
import { type MemoryDirectory, makeMemoryDirectory } from "../../platform/memory-directory.ts";
import type { CommandContext } from "../command-context.ts";
import type { Credentials, HeldLease } from "./credentials.ts";
import { commandEnvironment, DIRECTORY_VARIABLE, fulfil, type Gifts } from "./gifts.ts";
import { MaskedOutput } from "./masked-output.ts";
import { withOptionFile } from "./mysql-clients.ts";
import { type EndingLease, keepRenewed } from "./renewal.ts";
import type { Wishes } from "./wishes.ts";

/** What to do when a lease cannot be renewed any further. */
export const RENEW_FAILURE_WORDS = ["warn", "reread", "restart", "stop"] as const;
export type OnRenewFailure = (typeof RENEW_FAILURE_WORDS)[number];

export interface RunPlan {
  /** The program's path. */
  readonly file: string;
  readonly argv: readonly string[];
  readonly wishes: Wishes;
  readonly masks: boolean;
  readonly onRenewFailure: OnRenewFailure;
  /** What the command gets when its credentials were read anew. */
  readonly signal: NodeJS.Signals;
}

/** Signals that are handed on to the command. The first of them ends vsec itself while there is none yet. */
const FORWARDED = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const;
/** Those that a terminal's keys send to the whole group. */
const OF_KEYS: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT"]);

/** How long a command that is to end or to be started anew has for it after SIGTERM. */
const GRACE_MS = 10_000;

/**
 * Leases what the command is to have, runs it, keeps the leases renewed, and gives everything back when it has ended, however
 * that is. A failure on the way to the start gives back what was leased by then.
 * @throws CommandFailure when a credential cannot be had; CannotStart for the command.
 */
export async function supervise(
  context: CommandContext,
  plan: RunPlan,
  credentials: Credentials,
): Promise<ChildEnd> {
  const supervisor = new Supervisor(context, plan, credentials);
  try {
    return await supervisor.run();
  } finally {
    await supervisor.cleanUp();
  }
}

class Supervisor {
  readonly #context: CommandContext;
  readonly #plan: RunPlan;
  readonly #credentials: Credentials;
  readonly #output: MaskedOutput;
  #directory: MemoryDirectory | undefined;
  #child: Child | undefined;
  /** The signal that came before there was a command to hand it to. */
  #early: NodeJS.Signals | undefined;
  /** True: when the command ends it is started anew. */
  #restarts = false;
  /** The re-reading that is under way, or the last one. */
  #rereading: Promise<void> = Promise.resolve();
  /** Said when the command has ended: until then the terminal is the command's. */
  readonly #notes: string[] = [];
  readonly #listeners = FORWARDED.map((signal) => [signal, () => this.#onSignal(signal)] as const);

  constructor(context: CommandContext, plan: RunPlan, credentials: Credentials) {
    this.#context = context;
    this.#plan = plan;
    this.#credentials = credentials;
    this.#output = new MaskedOutput(context.world.clock);
    for (const [signal, listener] of this.#listeners) process.on(signal, listener);
  }

  async run(): Promise<ChildEnd> {
    let gifts = await this.#fulfil();
    for (;;) {
      if (this.#early !== undefined) return { code: null, signal: this.#early };
      const end = await this.#runOnce(gifts);
      if (!this.#restarts) return end;
      this.#restarts = false;
      gifts = await this.#readAnew(() => undefined);
    }
  }

  /** Gives everything back. What could not be revoked is told, and goes on being tried by whoever looks after the store. */
  async cleanUp(): Promise<void> {
    const before = await Promise.allSettled([
      this.#output.end(),
      // What it leases is to be given back too.
      this.#rereading.then(() => this.#directory?.remove()),
    ]);
    const problems = await this.#credentials.giveBack();
    for (const it of before) if (it.status === "rejected") this.#notes.push(messageOf(it.reason));
    if (this.#output.lost !== undefined)
      this.#notes.push(`output of the command was lost: ${this.#output.lost}`);
    for (const note of this.#notes) await this.#context.note(`vsec: ${note}`);
    for (const problem of problems) await this.#context.note(`vsec: not revoked yet, and due: ${problem}`);
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
  }

  async #runOnce({ variables, optionFile }: Gifts): Promise<ChildEnd> {
    const { file, masks } = this.#plan;
    const argv =
      optionFile === undefined ? this.#plan.argv : withOptionFile(file, this.#plan.argv, optionFile);
    const env = commandEnvironment(this.#context.world.env, {
      ...variables,
      ...(this.#directory === undefined ? {} : { [DIRECTORY_VARIABLE]: this.#directory.path }),
    });
    const output = this.#output;
    const child = await startChild({
      file,
      argv,
      env,
      ...(masks ? { consume: (stream, bytes) => output.consume(stream, bytes) } : {}),
    });
    this.#child = child;
    // It came while the command was being started.
    if (this.#early !== undefined) child.kill(this.#early);
    const done = new AbortController();
    const renewing = keepRenewed(this.#credentials, this.#context.world.clock, done.signal, (ending) =>
      this.#onEnding(ending),
    );
    try {
      return await child.ended;
    } finally {
      this.#child = undefined;
      done.abort();
      await renewing;
    }
  }

  async #fulfil(): Promise<Gifts> {
    const { env } = this.#context.world;
    const gifts = await fulfil(env, this.#plan.wishes, this.#credentials, () => this.#filesAt().path);
    this.#output.add(await this.#credentials.secrets());
    for (const [name, text] of Object.entries(gifts.files)) this.#filesAt().write(name, text);
    return { ...gifts, variables: { ...gifts.variables, ...this.#addPrograms(gifts) } };
  }

  #filesAt(): MemoryDirectory {
    this.#directory ??= makeMemoryDirectory(systemDirectories().runtime);
    return this.#directory;
  }

  /** @returns The search path by which they are found. */
  #addPrograms({ programs, variables }: Gifts): Gifts["variables"] {
    const places = Object.entries(programs).map(([name, text]) => this.#filesAt().addProgram(name, text));
    const [place] = places;
    if (place === undefined) return {};
    const searchPath = variables.PATH ?? this.#context.world.env.PATH ?? "";
    if (place !== null) return { PATH: `${place}${delimiter}${searchPath}` };
    this.#notes.push(
      "what the command started may have read ~/.my.cnf after our options, and logged in as that says",
    );
    return {};
  }

  /** New credentials in the place of the old ones. @param use - Is told when they are there; then the old ones are given back. */
  async #readAnew(use: () => void): Promise<Gifts> {
    const gifts = await this.#credentials.anew(() => this.#fulfil());
    use();
    const problems = await this.#credentials.giveBack(await this.#credentials.leases());
    this.#notes.push(...problems.map((problem) => `not revoked yet, and due: ${problem}`));
    return gifts;
  }

  /** Reads everything anew, unless that was done since this lease was found to end, and tells the command. */
  async #replace(lease: HeldLease): Promise<void> {
    if (!(await this.#credentials.leases()).includes(lease)) return;
    await this.#readAnew(() => this.#child?.kill(this.#plan.signal));
  }

  #onSignal(signal: NodeJS.Signals): void {
    const child = this.#child;
    if (child === undefined) {
      // Who asks twice does not want to wait: the leases end with this process, by the next sweep.
      if (this.#early !== undefined) this.#context.world.dieBy(signal);
      this.#early = signal;
    } else if (!(child.sharesGroup && OF_KEYS.has(signal) && isInForeground())) child.kill(signal);
  }

  #onEnding({ lease, reason }: EndingLease): void {
    const until = new Date(lease.expiresAt).toISOString();
    const child = this.#child;
    switch (this.#plan.onRenewFailure) {
      case "warn":
        this.#notes.push(`${lease.id} ends at ${until}: ${reason}`);
        return;
      case "reread":
        this.#rereading = this.#rereading
          .then(() => this.#replace(lease))
          .catch(() => void this.#notes.push(`${lease.id} ends at ${until} and could not be read anew`));
        return;
      case "restart":
        this.#restarts = true;
        break;
      case "stop":
        this.#notes.push(`stopped the command: ${lease.id} ends at ${until}: ${reason}`);
        break;
    }
    if (child !== undefined) void this.#end(child);
  }

  async #end(child: Child): Promise<void> {
    child.kill("SIGTERM");
    const ended = new AbortController();
    void child.ended.finally(() => ended.abort());
    await this.#context.world.clock.sleep(GRACE_MS, ended.signal);
    if (!ended.signal.aborted) child.kill("SIGKILL");
  }
}
