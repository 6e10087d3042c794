/** The plugin for PostgreSQL, and for what speaks its protocol and has its roles. @see reference: engines.md 1.9.2. */

import { badRequest } from "../../../../base/errors.ts";
import { type Random, randomString } from "../../../../base/random.ts";
import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { Redactor } from "../../failures.ts";
import type { DatabasePlugin, DatabasePluginType, DoomedUser, NewUser, PluginContext } from "../../plugin.ts";
import { Pool } from "../../pool.ts";
import { fillStatement, splitStatements } from "../../statements.ts";
import { cutBytes, formatExpiration } from "../../user-values.ts";
import { Connection } from "./connection.ts";
import { asDatabaseError } from "./failures.ts";
import { identifier, literal } from "./quoting.ts";
import { revokeUsers } from "./revoke.ts";
import { SALT_BYTES, scramVerifier } from "./scram.ts";
import { type PostgresSettings, postgresSettings } from "./settings.ts";
import { runTransaction } from "./transaction.ts";

/** For everything that a creation, a renewal or a change of password does, connecting included. */
const CHANGE_MS_MAX = 45_000;
const VERIFY_MS_MAX = 30_000;

interface Change {
  readonly statements: readonly string[];
  /** Knows the secrets that are in the statements. */
  readonly redactor: Redactor;
}

class PostgresPlugin implements DatabasePlugin {
  readonly #settings: PostgresSettings;
  readonly #context: PluginContext;
  readonly #pool: Pool<Connection>;
  readonly #redactor: Redactor;

  constructor(settings: PostgresSettings, context: PluginContext) {
    this.#settings = settings;
    this.#context = context;
    this.#pool = new Pool(settings.pool, (timeoutMs, greeted) =>
      Connection.open(settings, timeoutMs, { greeted }),
    );
    this.#redactor = new Redactor([settings.password]);
  }

  warm(): Promise<void> {
    return this.#pool.warm(CHANGE_MS_MAX);
  }

  async verify(): Promise<void> {
    try {
      await this.#pool.use(VERIFY_MS_MAX, (connection) => connection.query({ text: "SELECT 1" }));
    } catch (error) {
      throw asDatabaseError(error, "the connection", this.#redactor);
    }
  }

  async newUser(user: NewUser): Promise<void> {
    const { username } = user;
    const queries = splitStatements(user.creationStatements, { keepBlocks: true });
    if (queries.length === 0) throw badRequest("empty creation statements");
    const expiration = formatExpiration(user.expiresAt);
    // Computed while the connection is being made.
    const stored = this.#storedPassword(user.password);
    await this.#change(async () => {
      const password = await stored;
      const values = { name: username, username, password, expiration };
      const statements = queries.map((query) => fillStatement(query, values));
      return { statements, redactor: this.#redactor.with(user.password, password) };
    }, username);
  }

  async setExpiration(
    username: string,
    expiresAt: number,
    renewStatements: readonly string[],
  ): Promise<void> {
    const expiration = formatExpiration(expiresAt);
    const values = { name: username, username, expiration };
    const queries = splitStatements(renewStatements).map((query) => fillStatement(query, values));
    const own = `ALTER ROLE ${identifier(username)} VALID UNTIL ${literal(expiration)}`;
    const statements = queries.length > 0 ? queries : [own];
    await this.#change(() => ({ statements, redactor: this.#redactor }));
  }

  async setPassword(
    username: string,
    password: string,
    rotationStatements: readonly string[],
  ): Promise<void> {
    const stored = await this.#storedPassword(password);
    const values = { name: username, username, password: stored };
    const queries = splitStatements(rotationStatements).map((query) => fillStatement(query, values));
    const own = `ALTER ROLE ${identifier(username)} WITH PASSWORD ${literal(stored)}`;
    const statements = queries.length > 0 ? queries : [own];
    await this.#change(() => ({ statements, redactor: this.#redactor.with(password, stored) }));
  }

  deleteUsers(users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]> {
    return revokeUsers(this.#pool, users, {
      settings: this.#settings,
      plugin: this.#context,
      redactor: this.#redactor,
    });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** What the server is to keep: the verifier, or the password where the connection says so. */
  #storedPassword(password: string): Promise<string> {
    if (!this.#settings.isVerifierSent) return Promise.resolve(password);
    return scramVerifier(password, this.#context.random.bytes(SALT_BYTES));
  }

  /** Runs a change in one transaction. @param prepare - Called with the connection at hand, again if that was lost. */
  async #change(prepare: () => Change | Promise<Change>, lockedName?: string): Promise<void> {
    try {
      await this.#pool.use(CHANGE_MS_MAX, async (connection) => {
        const { statements, redactor } = await prepare();
        await runTransaction(connection, statements, redactor, lockedName);
      });
    } catch (error) {
      throw asDatabaseError(error, "the transaction", this.#redactor);
    }
  }
}

export const postgresql: DatabasePluginType = {
  names: ["postgresql-database-plugin"],
  usernameBytesMax: 63,
  defaultUsername: (displayName: string, roleName: string, random: Random, nowMs: number) => {
    const parts = [cutBytes(displayName, 8), cutBytes(roleName, 8), randomString(random, 20)];
    return `v-${parts.join("-")}-${Math.floor(nowMs / 1000)}`;
  },
  open: (details, context) => new PostgresPlugin(postgresSettings(details), context),
};
