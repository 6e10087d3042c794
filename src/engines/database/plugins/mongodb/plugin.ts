/** The plugin for MongoDB, and for what speaks its protocol and has its users. @see reference: engines.md section 1.9.6. */

import { messageOf } from "../../../../base/errors.ts";
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
import { type MongoConnection, mongoDriver } from "./connection.ts";
import { type MongoSettings, mongoSettings } from "./settings.ts";
import { creationOf, revocationDatabaseOf } from "./statements.ts";
import { deleteUser, userNames } from "./users.ts";

const CHANGE_MS_MAX = 45_000;
const VERIFY_MS_MAX = 30_000;
const DELETE_MS_MAX = 120_000;
const NAME_SHAPE = { prefix: "v", separator: "-", displayMax: 15, roleMax: 15 } as const;

class MongoPlugin implements DatabasePlugin {
  readonly #settings: MongoSettings;
  readonly #connection: KeptConnection<MongoConnection>;
  readonly #redactor: Redactor;

  constructor(settings: MongoSettings) {
    this.#settings = settings;
    this.#connection = new KeptConnection(mongoDriver(settings));
    this.#redactor = new Redactor([settings.password, encodeURIComponent(settings.password)]);
  }

  async verify(): Promise<void> {
    const ping = (connection: MongoConnection) => connection.run("admin", { ping: 1 });
    await this.#use("failed to verify connection", VERIFY_MS_MAX, ping);
  }

  async newUser({ username, password, creationStatements }: NewUser): Promise<void> {
    const { database, roles } = creationOf(creationStatements);
    const command = { createUser: username, pwd: password, roles, writeConcern: this.#settings.writeConcern };
    await this.#use(
      "creating the user failed",
      CHANGE_MS_MAX,
      (connection) => connection.run(database, command),
      password,
    );
  }

  async setExpiration(): Promise<void> {
    // The users of MongoDB have no expiry of their own: the lease alone ends them.
  }

  async setPassword(username: string, password: string): Promise<void> {
    const { database, writeConcern } = this.#settings;
    const command = { updateUser: username, pwd: password, writeConcern };
    await this.#use(
      "changing the password failed",
      CHANGE_MS_MAX,
      (connection) => connection.run(database, command),
      password,
    );
  }

  async deleteUsers(users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]> {
    return this.#use("deleting users failed", DELETE_MS_MAX, (connection) =>
      Promise.all(
        users.map(({ username, revocationStatements }) =>
          this.#deleteUser(connection, username, revocationStatements),
        ),
      ),
    );
  }

  async #deleteUser(
    connection: MongoConnection,
    username: string,
    revocationStatements: readonly string[],
  ): Promise<RevokeOutcome> {
    let database: string | undefined;
    try {
      database = revocationDatabaseOf(revocationStatements);
    } catch (error) {
      // One role's mistake is not the others'.
      return error instanceof Error ? error : new DatabaseError("statement", messageOf(error));
    }
    return deleteUser(connection, username, database ?? "admin", this.#settings.writeConcern);
  }

  async listUsers(): Promise<readonly string[]> {
    return this.#use("listing the users failed", VERIFY_MS_MAX, userNames);
  }

  async trial(): Promise<Trial> {
    const { MongoTrial } = await import("./trial.ts");
    return new MongoTrial(
      (work, secret) => this.#use("the preflight", VERIFY_MS_MAX, work, secret),
      this.#settings,
    );
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #use<T>(
    what: string,
    timeoutMs: number,
    work: (connection: MongoConnection) => Promise<T>,
    secret = "",
  ): Promise<T> {
    try {
      return await this.#connection.use(timeoutMs, work);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const text = this.#redactor.with(secret).text(error.message);
      throw error.inWords(`${what}: ${text}`);
    }
  }
}

export const mongodb: DatabasePluginType = {
  names: ["mongodb-database-plugin"],
  usernameBytesMax: 100,
  usernameMark: /^v-.*-[A-Za-z0-9]{20}-\d{10}$/,
  defaultUsername: (displayName, roleName, random, nowMs) =>
    defaultUsernameOf(NAME_SHAPE, displayName, roleName, random, nowMs).replaceAll(".", "-"),
  open: (details) => new MongoPlugin(mongoSettings(details)),
};
