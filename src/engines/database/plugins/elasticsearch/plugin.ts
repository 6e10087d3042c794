/** The plugin for Elasticsearch: the native realm's users, through its security API. @see reference: engines.md 1.9.6. */

import { messageOf } from "../../../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../../../base/json.ts";
import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { defaultUsernameOf } from "../../default-username.ts";
import { Redactor } from "../../failures.ts";
import { KeptConnection } from "../../kept-connection.ts";
import {
  DatabaseError,
  type DatabasePlugin,
  type DatabasePluginType,
  type DoomedUser,
  type NewUser,
} from "../../plugin.ts";
import type { Trial } from "../../trial.ts";
import { type Answer, type ElasticsearchConnection, elasticsearchDriver, reasonOf } from "./connection.ts";
import { type ElasticsearchSettings, elasticsearchSettings } from "./settings.ts";
import { creationOf } from "./statements.ts";

const CHANGE_MS_MAX = 45_000;
const VERIFY_MS_MAX = 30_000;
const DELETE_MS_MAX = 120_000;
const NAME_SHAPE = { prefix: "v", separator: "-", displayMax: 15, roleMax: 15 } as const;
/** Vault asks for a role of this name to see whether the administrator may; that there is none is a good answer. */
const PROBE_ROLE = "vault-test";

class ElasticsearchPlugin implements DatabasePlugin {
  readonly #connection: KeptConnection<ElasticsearchConnection>;
  readonly #redactor: Redactor;

  constructor(settings: ElasticsearchSettings) {
    this.#connection = new KeptConnection(elasticsearchDriver(settings));
    this.#redactor = new Redactor([settings.password]);
  }

  async verify(): Promise<void> {
    await this.#use("error verifying connection", VERIFY_MS_MAX, async (connection) => {
      requireDone(await connection.ask("GET", `/role/${PROBE_ROLE}`), [404]);
    });
  }

  async newUser({ username, password, creationStatements }: NewUser): Promise<void> {
    const creation = creationOf(creationStatements);
    const name = encodeURIComponent(username);
    await this.#use(
      "creating the user failed",
      CHANGE_MS_MAX,
      async (connection) => {
        if ("definition" in creation) {
          requireDone(await connection.ask("PUT", `/role/${name}`, creation.definition));
        }
        const roles = "definition" in creation ? [username] : creation.roles;
        requireDone(await connection.ask("PUT", `/user/${name}`, { password, roles }));
      },
      password,
    );
  }

  async setExpiration(): Promise<void> {
    // The users of the native realm have no expiry of their own: the lease alone ends them.
  }

  async setPassword(username: string, password: string): Promise<void> {
    const place = `/user/${encodeURIComponent(username)}/_password`;
    await this.#use(
      "changing the password failed",
      CHANGE_MS_MAX,
      async (connection) => {
        requireDone(await connection.ask("POST", place, { password }));
      },
      password,
    );
  }

  async deleteUsers(users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]> {
    return this.#use("deleting users failed", DELETE_MS_MAX, (connection) =>
      Promise.all(users.map(({ username }) => deleteUser(connection, username))),
    );
  }

  async listUsers(): Promise<readonly string[]> {
    const { body } = await this.#use("listing the users failed", VERIFY_MS_MAX, async (connection) => {
      const answer = await connection.ask("GET", "/user");
      requireDone(answer);
      return answer;
    });
    return Object.entries(body).flatMap(([name, user]) => (isForAnything(user) ? [] : [name]));
  }

  async trial(): Promise<Trial> {
    const { ElasticsearchTrial } = await import("./trial.ts");
    return new ElasticsearchTrial((work) => this.#use("the preflight", VERIFY_MS_MAX, work));
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #use<T>(
    what: string,
    timeoutMs: number,
    work: (connection: ElasticsearchConnection) => Promise<T>,
    secret = "",
  ): Promise<T> {
    try {
      return await this.#connection.use(timeoutMs, work);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const text = this.#redactor.with(secret).text(error.message);
      throw new DatabaseError(error.kind, `${what}: ${text}`, { serverCode: error.serverCode });
    }
  }
}

/** @throws DatabaseError `statement` for an answer that is neither a success nor one of the others. */
function requireDone({ status, body }: Answer, others: readonly number[] = []): void {
  if ((status >= 200 && status < 300) || others.includes(status)) return;
  const text = `${reasonOf(body, "the server refused it")} (status ${status})`;
  throw new DatabaseError("statement", text, { serverCode: String(status) });
}

/** Whether a user is the server's own, or holds every right. */
function isForAnything(user: Json): boolean {
  if (!isJsonObject(user)) return false;
  const { metadata, roles } = user;
  const isReserved = isJsonObject(metadata) && metadata._reserved === true;
  return isReserved || (Array.isArray(roles) && roles.includes("superuser"));
}

/**
 * Makes a user gone: no login any more, what it holds in its own name invalid, its role and itself deleted, its absence seen.
 * @throws DatabaseError when the server cannot be reached, or refuses the administrator's login.
 */
async function deleteUser(connection: ElasticsearchConnection, username: string): Promise<RevokeOutcome> {
  const user = `/user/${encodeURIComponent(username)}`;
  try {
    requireDone(await connection.ask("PUT", `${user}/_disable`), [404]);
    await endTokens(connection, username);
    requireDone(await connection.ask("DELETE", `/role/${encodeURIComponent(username)}`), [404]);
    requireDone(await connection.ask("DELETE", user), [404]);
    const left = await connection.ask("GET", user);
    requireDone(left, [404]);
    if (left.status === 404) return null;
    return new DatabaseError("statement", `user "${username}" is still there after it was deleted`);
  } catch (error) {
    if (error instanceof DatabaseError && error.kind === "statement") return error;
    throw error instanceof DatabaseError ? error : new DatabaseError("unreachable", messageOf(error));
  }
}

/**
 * Requests carry the login, so there are no sessions; but a user can have made tokens and API keys, which outlive it. Where the
 * service is off, or the administrator may not, the server says so, and that is no failure.
 */
async function endTokens(connection: ElasticsearchConnection, username: string): Promise<void> {
  const owned: JsonObject = { username };
  await connection.ask("DELETE", "/oauth2/token", owned);
  await connection.ask("DELETE", "/api_key", owned);
}

export const elasticsearch: DatabasePluginType = {
  names: ["elasticsearch-database-plugin"],
  usernameBytesMax: 100,
  usernameMark: /^v-.*-[A-Za-z0-9]{20}-\d{10}$/,
  defaultUsername: (displayName, roleName, random, nowMs) =>
    defaultUsernameOf(NAME_SHAPE, displayName, roleName, random, nowMs),
  open: (details) => new ElasticsearchPlugin(elasticsearchSettings(details)),
};
