/** The plugins for MySQL, MariaDB, and what Amazon makes of them. @see reference: engines.md 1.9.3. */

import { badRequest } from "../../../../base/errors.ts";
import { type Random, randomString } from "../../../../base/random.ts";
import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { Redactor } from "../../failures.ts";
import type {
  DatabasePlugin,
  DatabasePluginType,
  DoomedUser,
  LoginOutcome,
  NewUser,
  PluginContext,
} from "../../plugin.ts";
import { Pool } from "../../pool.ts";
import { fillStatement, splitStatements } from "../../statements.ts";
import type { Trial } from "../../trial.ts";
import { cutBytes, formatExpiration } from "../../user-values.ts";
import { findAccounts, passwordStatement, userNames } from "./accounts.ts";
import { type Change, runChange } from "./change.ts";
import { Connection } from "./connection.ts";
import { asDatabaseError } from "./failures.ts";
import { revokeUsers } from "./revoke.ts";
import { type MysqlSettings, mysqlSettings } from "./settings.ts";
import { verifyLogin } from "./verify-login.ts";

/** For everything that a creation or a change of password does, connecting included. */
const CHANGE_MS_MAX = 45_000;
const VERIFY_MS_MAX = 30_000;

class MysqlPlugin implements DatabasePlugin {
  readonly #settings: MysqlSettings;
  readonly #context: PluginContext;
  readonly #pool: Pool<Connection>;
  readonly #redactor: Redactor;

  constructor(settings: MysqlSettings, context: PluginContext) {
    this.#settings = settings;
    this.#context = context;
    this.#pool = new Pool(settings.pool, (timeoutMs, greeted) =>
      Connection.open(settings, timeoutMs, greeted),
    );
    this.#redactor = new Redactor([settings.password]);
  }

  warm(): Promise<void> {
    return this.#pool.warm(CHANGE_MS_MAX);
  }

  async verify(): Promise<void> {
    try {
      await this.#pool.use(VERIFY_MS_MAX, (connection) => connection.query("SELECT 1"));
    } catch (error) {
      throw asDatabaseError(error, "the connection", this.#redactor);
    }
  }

  async newUser({ username, password, expiresAt, creationStatements }: NewUser): Promise<void> {
    const queries = splitStatements(creationStatements);
    if (queries.length === 0) throw badRequest("empty creation statements");
    const values = { name: username, username, password, expiration: formatExpiration(expiresAt) };
    const statements = queries.map((query) => fillStatement(query, values));
    await this.#change(async () => ({ username, statements, redactor: this.#redactor.with(password) }));
  }

  /** MySQL users have no expiry, and renewal statements are not looked at: that is Vault's way. */
  setExpiration(): Promise<void> {
    return Promise.resolve();
  }

  async setPassword(
    username: string,
    password: string,
    rotationStatements: readonly string[],
  ): Promise<void> {
    const values = { name: username, username, password };
    const queries = splitStatements(rotationStatements).map((query) => fillStatement(query, values));
    await this.#change(async (connection) => ({
      username,
      statements: queries.length > 0 ? queries : [await passwordStatement(connection, username, password)],
      redactor: this.#redactor.with(password),
    }));
  }

  verifyLogin(username: string, password: string): Promise<LoginOutcome> {
    const settings = { ...this.#settings, user: username, password };
    const find = (connection: Connection) => findAccounts(connection, [username]);
    return verifyLogin(settings, VERIFY_MS_MAX, () => this.#pool.use(VERIFY_MS_MAX, find)).catch(
      (error: unknown) => {
        throw asDatabaseError(error, "the login", this.#redactor.with(password));
      },
    );
  }

  async listUsers(): Promise<readonly string[]> {
    try {
      return await this.#pool.use(VERIFY_MS_MAX, userNames);
    } catch (error) {
      throw asDatabaseError(error, "listing the users", this.#redactor);
    }
  }

  deleteUsers(users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]> {
    return revokeUsers(this.#pool, users, {
      plugin: this.#context,
      redactor: this.#redactor,
      administrator: this.#settings.user,
    });
  }

  async trial(): Promise<Trial> {
    const { MysqlTrial } = await import("./trial.ts");
    return new MysqlTrial(this.#pool, this.#settings, this.#redactor, this.#context.clock);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** @param prepare - Called with the connection at hand, again if that was lost. */
  async #change(prepare: (connection: Connection) => Promise<Change>): Promise<void> {
    try {
      await this.#pool.use(CHANGE_MS_MAX, async (connection) =>
        runChange(connection, await prepare(connection)),
      );
    } catch (error) {
      throw asDatabaseError(error, "the change", this.#redactor);
    }
  }
}

const common: Pick<DatabasePluginType, "open" | "clientConnection"> = {
  open: (details, context) => new MysqlPlugin(mysqlSettings(details), context),
  clientConnection: async (details, login) =>
    (await import("./client-connection.ts")).clientConnection(details, login),
};

export const mysql: DatabasePluginType = {
  names: ["mysql-database-plugin"],
  usernameBytesMax: 32,
  // All of them are cut at the limit.
  usernameMark: /^(?=.{32}$)v-.*-[A-Za-z0-9]{8,20}(?:-\d{0,10})?$/,
  defaultUsername: (displayName: string, roleName: string, random: Random, nowMs: number) => {
    const parts = [cutBytes(displayName, 10), cutBytes(roleName, 10), randomString(random, 20)];
    return `v-${parts.join("-")}-${Math.floor(nowMs / 1000)}`;
  },
  ...common,
};

/** For servers whose user names have at most 16 characters: MySQL before 5.7.8. */
export const mysqlShortNames: DatabasePluginType = {
  names: ["mysql-aurora-database-plugin", "mysql-rds-database-plugin", "mysql-legacy-database-plugin"],
  usernameBytesMax: 16,
  usernameMark: /^(?=.{16}$)v-.{0,4}-[A-Za-z0-9]{9,13}$/,
  defaultUsername: (_displayName: string, roleName: string, random: Random) =>
    `v-${cutBytes(roleName, 4)}-${randomString(random, 20)}`,
  ...common,
};
