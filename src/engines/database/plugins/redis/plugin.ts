/** The plugin for Redis (6.0 and later) and Valkey: their ACL users. @see reference: engines.md section 1.9.6. */

import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { defaultUsernameOf } from "../../default-username.ts";
import { Redactor } from "../../failures.ts";
import { KeptConnection } from "../../kept-connection.ts";
import {
  DatabaseError,
  type DatabasePlugin,
  type DatabasePluginType,
  type DoomedUser,
  inDoubt,
  type NewUser,
} from "../../plugin.ts";
import type { Trial } from "../../trial.ts";
import { type RedisConnection, redisDriver } from "./connection.ts";
import { type RedisSettings, redisSettings } from "./settings.ts";
import {
  changePassword,
  createUser,
  deleteUser,
  passwordRule,
  persist,
  plainRulesOf,
  rulesOf,
} from "./users.ts";

const CHANGE_MS_MAX = 30_000;
const DELETE_MS_MAX = 120_000;
const NAME_SHAPE = { prefix: "V", separator: "_", displayMax: 64, roleMax: 64 } as const;

class RedisPlugin implements DatabasePlugin {
  readonly #settings: RedisSettings;
  readonly #connection: KeptConnection<RedisConnection>;
  readonly #redactor: Redactor;

  readonly #rulesOf: typeof rulesOf;

  constructor(settings: RedisSettings, readRules: typeof rulesOf) {
    this.#settings = settings;
    this.#rulesOf = readRules;
    this.#connection = new KeptConnection(redisDriver(settings));
    this.#redactor = new Redactor([settings.password]);
  }

  async verify(): Promise<void> {
    await this.#use("error verifying connection", [], async (connection) => {
      await connection.send("PING");
      // Where users cannot be kept, each one that is made would fail, and so would its end.
      await persist(connection, this.#settings.persistence);
    });
  }

  async newUser({ username, password, creationStatements }: NewUser): Promise<void> {
    const rules = this.#rulesOf(creationStatements);
    await this.#use("creating the user failed", [password, passwordRule(password)], async (connection) => {
      await createUser(connection, username, password, rules);
      await persist(connection, this.#settings.persistence);
    });
  }

  async setExpiration(): Promise<void> {
    // ACL users have no expiry of their own: the lease alone ends them.
  }

  async setPassword(username: string, password: string): Promise<void> {
    await this.#use(
      "changing the password failed",
      [password, passwordRule(password)],
      async (connection) => {
        // A server that cannot keep its users says so before anything is changed, and hardly ever after it.
        await persist(connection, this.#settings.persistence);
        await changePassword(connection, username, password);
        await persist(connection, this.#settings.persistence).catch((error: unknown) => {
          throw inDoubt(error, 2);
        });
      },
    );
  }

  async listUsers(): Promise<readonly string[]> {
    return this.#use("listing the users failed", [], async (connection) => {
      const names = await connection.send("ACL", "USERS");
      return Array.isArray(names) ? names.map(String) : [];
    });
  }

  async deleteUsers(users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]> {
    return this.#use(
      "deleting users failed",
      [],
      async (connection) => {
        const outcomes = await Promise.all(users.map(({ username }) => deleteUser(connection, username)));
        await persist(connection, this.#settings.persistence);
        return outcomes;
      },
      DELETE_MS_MAX,
    );
  }

  async trial(): Promise<Trial> {
    const { RedisTrial } = await import("./trial.ts");
    return new RedisTrial((work) => this.#use("the preflight", [], work), this.#settings.username);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #use<T>(
    what: string,
    secrets: readonly string[],
    work: (connection: RedisConnection) => Promise<T>,
    timeoutMs = CHANGE_MS_MAX,
  ): Promise<T> {
    try {
      return await this.#connection.use(timeoutMs, work);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const text = this.#redactor.with(...secrets).text(error.message);
      throw error.inWords(`${what}: ${text}`);
    }
  }
}

/** @param readRules - How creation statements are read, which is where the two plugins differ. */
function typeOf(name: string, readRules: typeof rulesOf): DatabasePluginType {
  return {
    names: [name],
    usernameBytesMax: 100,
    usernameMark: /^V_.*_[A-Z0-9]{20}_\d{10}$/,
    defaultUsername: (displayName, roleName, random, nowMs) =>
      defaultUsernameOf(NAME_SHAPE, displayName, roleName, random, nowMs).toUpperCase(),
    open: (details) => new RedisPlugin(redisSettings(details), readRules),
  };
}

export const redis = typeOf("redis-database-plugin", rulesOf);
export const valkey = typeOf("valkey-database-plugin", plainRulesOf);
