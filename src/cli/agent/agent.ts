import { rmSync } from "node:fs";
import { messageOf } from "../../base/errors.ts";
import type { Env } from "../../contract/environment.ts";
import type { LeasePurpose } from "../../contract/wire.ts";
import type { ChildEnd } from "../../platform/child/child.ts";
import { CommandContext } from "../command-context.ts";
import { writeRendered } from "../render/target.ts";
import { watchTemplates } from "../render/watch.ts";
import { Credentials } from "../run/credentials.ts";
import { commandEnvironment } from "../run/gifts.ts";
import type { AgentConfig } from "./config.ts";
import type { VariableTemplate } from "./config-template.ts";
import { type AgentToken, fillSinks, logIn, renewToken } from "./login.ts";
import { SupervisedProcess } from "./process.ts";
import { RenderedFiles } from "./rendered-files.ts";
import { type ReadTemplate, readTemplates, renderOne, templateWorld } from "./templates.ts";

/**
 * Carries a configuration out until the signal, or until the process of `exec` has ended by itself: logs in and keeps the
 * token renewed, fills the sinks, renders the templates and keeps their leases, runs the process.
 * @param purpose - Whom leases are for.
 * @returns How the process ended; null when there is none.
 * @throws CommandFailure for a template that is not right, and, where the agent is to exit after it has logged in, for what it
 *   could not do.
 */
export async function runAgent(
  context: CommandContext,
  config: AgentConfig,
  purpose: LeasePurpose,
  signal: AbortSignal,
): Promise<ChildEnd | null> {
  const agent = new Agent(context, config, purpose, signal);
  return agent.run();
}

class Agent {
  readonly #config: AgentConfig;
  readonly #signal: AbortSignal;
  /** The variables of requests: the token is among them as soon as there is one. */
  readonly #env: Record<string, string | undefined>;
  readonly #context: CommandContext;
  readonly #credentials: Credentials;
  readonly #process: SupervisedProcess | null;
  readonly #commandEnv: Record<string, string>;
  #token: AgentToken | null = null;

  constructor(context: CommandContext, config: AgentConfig, purpose: LeasePurpose, signal: AbortSignal) {
    this.#config = config;
    this.#signal = signal;
    this.#env = { ...context.world.env };
    const { address, tls } = config;
    const options = {
      ...context.options,
      ...(address === undefined || context.options.address !== undefined ? {} : { address }),
      // What the command line and the environment say wins, as it does for the address.
      ...(tls === undefined ? {} : { tls: { ...tls, ...context.options.tls } }),
    };
    const world = { ...context.world, env: this.#env as Env };
    this.#context = new CommandContext(world, options, context.catalogue);
    this.#credentials = new Credentials(this.#context, purpose);
    this.#commandEnv = commandEnvironment(context.world.env, {});
    this.#process =
      config.process === null ? null : new SupervisedProcess(config.process, context.world.clock);
  }

  async run(): Promise<ChildEnd | null> {
    const { readFile } = this.#context.world;
    const templates = await readTemplates(this.#config.templates, readFile);
    const variables = await readTemplates(this.#config.variables, readFile);
    const files = new RenderedFiles(templates, {
      context: this.#context,
      credentials: this.#credentials,
      world: this.#templateWorld(),
      env: this.#commandEnv,
      say: (text) => this.#say(text),
    });
    const render = async (signal: AbortSignal): Promise<void> => {
      await files.render(signal);
      await this.#giveVariables(variables);
    };
    if (this.#config.pidFile !== undefined)
      await writeRendered(this.#config.pidFile, `${process.pid}\n`, 0o644);
    try {
      if (this.#config.exitsAfterAuth) {
        if (this.#process !== null) this.#say("the command of exec is not run, since the agent is to exit");
        await this.#logInOnce();
        await render(this.#signal);
        return null;
      }
      return await this.#serve(render);
    } finally {
      await this.#cleanUp();
    }
  }

  async #serve(render: (signal: AbortSignal) => Promise<void>): Promise<ChildEnd | null> {
    const done = new AbortController();
    const signal = AbortSignal.any([this.#signal, done.signal]);
    const work = this.#keepWorking(render, signal);
    const ended = this.#process?.ended.finally(() => done.abort());
    const first = ended === undefined ? work.then(() => null) : Promise.race([ended, work.then(() => null)]);
    try {
      return await first;
    } finally {
      done.abort();
      await work.catch(() => undefined);
    }
  }

  /** Logs in again and again, and renders as long as each token lasts. */
  async #keepWorking(render: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock } = this.#context.world;
    const { backoffSecondsMin = 1, backoffSecondsMax = 1, exitsOnError = false } = this.#config.auth ?? {};
    let backoffMs = backoffSecondsMin * 1000;
    while (!signal.aborted) {
      try {
        await this.#logInOnce();
        backoffMs = backoffSecondsMin * 1000;
      } catch (error) {
        if (exitsOnError) throw error;
        this.#say(messageOf(error));
        await clock.sleep(backoffMs, signal);
        backoffMs = Math.min(backoffMs * 2, backoffSecondsMax * 1000);
        continue;
      }
      const tokenOver = new AbortController();
      const both = AbortSignal.any([signal, tokenOver.signal]);
      const watching = watchTemplates({
        credentials: this.#credentials,
        clock,
        signal: both,
        intervalMs: this.#config.staticIntervalSeconds * 1000,
        render,
        onFailure: (reason) => this.#say(reason),
        failuresMax: this.#config.failuresMax,
      }).finally(() => tokenOver.abort());
      // Looked at below, when the token is let go.
      watching.catch(() => undefined);
      await this.#keepToken(both);
      tokenOver.abort();
      await watching;
      // The leases of a token that is over end with it: everything is read anew with the next one.
      if (!signal.aborted) this.#credentials.forget();
    }
  }

  async #logInOnce(): Promise<void> {
    const { auth } = this.#config;
    if (auth === null) return;
    this.#token = await logIn(this.#context, auth);
    this.#env.VSEC_TOKEN = this.#token.token;
    await fillSinks(this.#config, this.#token.token);
    this.#say(`logged in by ${auth.type}`);
  }

  /** Renews the token when two thirds of its time are over, until that is refused, or the signal. */
  async #keepToken(signal: AbortSignal): Promise<void> {
    const { clock } = this.#context.world;
    while (!signal.aborted) {
      const { ttlSeconds = 0 } = this.#token ?? {};
      await clock.sleep(ttlSeconds > 0 ? (ttlSeconds * 1000 * 2) / 3 : 2 ** 40, signal);
      if (signal.aborted || this.#token === null) return;
      const renewed = await renewToken(this.#context, this.#token);
      if (renewed === null) return;
      this.#token = renewed;
    }
  }

  #templateWorld() {
    const { readFile, clock } = this.#context.world;
    return templateWorld(this.#credentials, this.#commandEnv, clock, readFile);
  }

  async #giveVariables(variables: readonly ReadTemplate<VariableTemplate>[]): Promise<void> {
    if (this.#process === null || this.#config.exitsAfterAuth) return;
    const world = this.#templateWorld();
    const values: Record<string, string> = {};
    for (const variable of variables) values[variable.template.name] = await renderOne(variable, world);
    await this.#process.give(values, this.#commandEnv);
  }

  /** What was rendered once is left to whoever uses it; what was kept is given back. A token that nobody else has is revoked. */
  async #cleanUp(): Promise<void> {
    await this.#process?.stop();
    if (this.#config.pidFile !== undefined) rmSync(this.#config.pidFile, { force: true });
    if (!this.#config.exitsAfterAuth) {
      for (const problem of await this.#credentials.giveBack())
        this.#say(`not revoked yet, and due: ${problem}`);
      const isOurs = this.#config.auth?.type !== "token_file" && this.#config.sinks.length === 0;
      if (this.#token !== null && isOurs) await this.#revokeToken(this.#token.token);
    }
    await this.#context.close();
  }

  async #revokeToken(token: string): Promise<void> {
    try {
      await this.#context.send(
        { method: "PUT", path: "auth/token/revoke-self", body: {} },
        { prefix: "", token },
      );
    } catch {
      // It ends by its TTL.
    }
  }

  #say(text: string): void {
    void this.#context.note(`agent: ${text}`);
  }
}
