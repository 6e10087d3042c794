/** The plugin that lets a program of the operator's drive a system which vsec does not know. See docs/exec-plugin.md. */

import type { ChildProcess } from "node:child_process";
import { badRequest } from "../../../../base/errors.ts";
import type { JsonObject } from "../../../../base/json.ts";
import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { defaultUsernameOf } from "../../default-username.ts";
import { Redactor } from "../../failures.ts";
import {
  DatabaseError,
  type DatabasePlugin,
  type DatabasePluginType,
  type DoomedUser,
  type NewUser,
} from "../../plugin.ts";
import type { Trial } from "../../trial.ts";
import { checkPlace, pluginDirectory, requirePermitted } from "./permitted.ts";
import { killGroup, runProgram } from "./program.ts";
import {
  type Operation,
  PROTOCOL_VERSION,
  readAnswer,
  readRevoked,
  readUsers,
  UNSUPPORTED,
} from "./protocol.ts";
import { type ExecSettings, execSettings } from "./settings.ts";

const USERS_PER_REQUEST_MAX = 100;
/** A creation has to have ended by then, waiting for its turn included: its lease may be revoked soon after. */
const CREATE_MS_MAX = 45_000;
const TURN_MS_MAX = 120_000;
const SECRET_NAME = /pass|secret|token|key|credential/i;
const NAME_SHAPE = { prefix: "v", separator: "-", displayMax: 15, roleMax: 15 } as const;

class ExecPlugin implements DatabasePlugin {
  readonly #settings: ExecSettings;
  readonly #directory: string;
  readonly #redactor: Redactor;
  readonly #running = new Set<ChildProcess>();
  readonly #waiting: (() => void)[] = [];
  #busyCount = 0;

  constructor(settings: ExecSettings, directory: string) {
    this.#settings = settings;
    this.#directory = directory;
    this.#redactor = new Redactor(secretsOf(settings.connection));
  }

  async verify(): Promise<void> {
    await this.#ask("verify", {});
  }

  async newUser({ username, password, expiresAt, creationStatements }: NewUser): Promise<void> {
    const request = { username, password, expires_at: dateOf(expiresAt), statements: creationStatements };
    await this.#ask("create", request, password);
  }

  async setExpiration(
    username: string,
    expiresAt: number,
    renewStatements: readonly string[],
  ): Promise<void> {
    try {
      await this.#ask("renew", { username, expires_at: dateOf(expiresAt), statements: renewStatements });
    } catch (error) {
      // A system without an expiry of its own has nothing to move.
      if (!(error instanceof DatabaseError) || error.serverCode !== UNSUPPORTED) throw error;
    }
  }

  async setPassword(
    username: string,
    password: string,
    rotationStatements: readonly string[],
  ): Promise<void> {
    await this.#ask("rotate", { username, password, statements: rotationStatements }, password);
  }

  async deleteUsers(users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]> {
    const outcomes: RevokeOutcome[] = [];
    for (let start = 0; start < users.length; start += USERS_PER_REQUEST_MAX) {
      outcomes.push(...(await this.#deleteSome(users.slice(start, start + USERS_PER_REQUEST_MAX))));
    }
    return outcomes;
  }

  async #deleteSome(users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]> {
    const asked = users.map(({ username, revocationStatements }) => ({
      username,
      statements: revocationStatements,
    }));
    try {
      const names = users.map(({ username }) => username);
      return readRevoked(await this.#ask("revoke", { users: asked }), names).map((reason) =>
        reason === null ? null : new DatabaseError("statement", this.#redactor.text(reason)),
      );
    } catch (error) {
      // A login that was refused is the connection's matter, not these users'.
      if (!(error instanceof DatabaseError) || error.kind === "auth") throw error;
      return users.map(() => error);
    }
  }

  /** @throws ApiError 400 where the program has no such operation. */
  async listUsers(): Promise<readonly string[]> {
    try {
      return readUsers(await this.#ask("list", {}));
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.serverCode !== UNSUPPORTED) throw error;
      throw badRequest(`the program ${this.#settings.program} cannot list its users`, error);
    }
  }

  async trial(): Promise<Trial> {
    const { ExecTrial } = await import("./trial.ts");
    return new ExecTrial(this);
  }

  async close(): Promise<void> {
    for (const child of this.#running) killGroup(child);
  }

  /** Runs the program for one request. @throws DatabaseError naming the program and the operation. */
  async #ask(operation: Operation, body: JsonObject, password = ""): Promise<JsonObject> {
    const { program, arguments: args, environment, timeoutMs, connection } = this.#settings;
    const request = `${JSON.stringify({ protocol: PROTOCOL_VERSION, operation, connection, ...body })}\n`;
    await this.#takeTurn(operation === "create" ? CREATE_MS_MAX - timeoutMs : TURN_MS_MAX);
    try {
      const file = await requirePermitted(program, this.#directory);
      const invocation = { file, arguments: args, environment, timeoutMs, request };
      return readAnswer(await runProgram(invocation, this.#running));
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const text = this.#redactor.with(password).text(error.message);
      throw error.inWords(`${program} (${operation}): ${text}`);
    } finally {
      this.#busyCount -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** @throws DatabaseError `unreachable` when no turn comes in time; nothing was started then. */
  async #takeTurn(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.#busyCount >= this.#settings.processesMax) {
      const turn = Promise.withResolvers<void>();
      this.#waiting.push(turn.resolve);
      const timer = setTimeout(turn.resolve, Math.max(deadline - performance.now(), 0));
      await turn.promise;
      clearTimeout(timer);
      if (performance.now() < deadline) continue;
      const index = this.#waiting.indexOf(turn.resolve);
      if (index !== -1) this.#waiting.splice(index, 1);
      // Whoever gave the turn at the last moment meant it for somebody.
      else this.#waiting.shift()?.();
      throw new DatabaseError(
        "unreachable",
        `all ${this.#settings.processesMax} processes of the program are in use`,
      );
    }
    this.#busyCount += 1;
  }
}

/** What must not show in a message, wherever the program got it from. */
function secretsOf(connection: JsonObject): readonly string[] {
  return Object.entries(connection).flatMap(([name, value]) =>
    SECRET_NAME.test(name) && typeof value === "string" ? [value] : [],
  );
}

function dateOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** @param directory - Where the permitted programs are. */
export function execPlugin(directory: string): DatabasePluginType {
  return {
    names: ["exec-database-plugin"],
    usernameBytesMax: 100,
    usernameMark: /^v-.*-[A-Za-z0-9]{20}-\d{10}$/,
    defaultUsername: (displayName, roleName, random, nowMs) =>
      defaultUsernameOf(NAME_SHAPE, displayName, roleName, random, nowMs),
    open: (details) => {
      const settings = execSettings(details);
      checkPlace(settings.program, directory);
      return new ExecPlugin(settings, directory);
    },
  };
}

export const exec: DatabasePluginType = execPlugin(pluginDirectory(process.env.VSEC_PLUGIN_DIRECTORY));
