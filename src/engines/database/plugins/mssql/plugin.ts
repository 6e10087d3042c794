/** The plugin for Microsoft SQL Server. @see reference: engines.md section 1.9.4. */

import { badRequest, messageOf } from "../../../../base/errors.ts";
import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { defaultUsernameOf } from "../../default-username.ts";
import { ConnectionLost, Redactor, StatementRefused } from "../../failures.ts";
import { KeptConnection } from "../../kept-connection.ts";
import {
  DatabaseError,
  type DatabasePlugin,
  type DatabasePluginType,
  type DoomedUser,
  type NewUser,
} from "../../plugin.ts";
import { fillStatement, splitStatements } from "../../statements.ts";
import type { Problem } from "../../trial.ts";
import { formatExpiration } from "../../user-values.ts";
import { identifier, literal, type MssqlConnection, mssqlDriver, type Session } from "./connection.ts";
import { dropContainedUser, dropLogin, endSessions, isThere } from "./drop-login.ts";
import { type MssqlSettings, mssqlSettings } from "./settings.ts";
import { userNames } from "./user-names.ts";

const CHANGE_MS_MAX = 45_000;
const VERIFY_MS_MAX = 30_000;
const DELETE_MS_MAX = 300_000;
const NAME_SHAPE = { prefix: "v", separator: "-", displayMax: 20, roleMax: 20 } as const;

export class MssqlPlugin implements DatabasePlugin {
  readonly #settings: MssqlSettings;
  readonly #connection: KeptConnection<MssqlConnection>;
  readonly #redactor: Redactor;

  constructor(settings: MssqlSettings, driver = mssqlDriver(settings)) {
    this.#settings = settings;
    this.#connection = new KeptConnection(driver);
    this.#redactor = new Redactor([settings.password]);
  }

  async verify(): Promise<void> {
    const ping = (connection: MssqlConnection) => connection.query("SELECT 1 AS one");
    await this.#use("error verifying connection", VERIFY_MS_MAX, this.#redactor, ping);
  }

  async newUser({ username, password, expiresAt, creationStatements }: NewUser): Promise<void> {
    const queries = splitStatements(creationStatements);
    if (queries.length === 0) throw badRequest("empty creation statements");
    // Vault knows no {{username}} here.
    const values = { name: username, password, expiration: formatExpiration(expiresAt) };
    const filled = queries.map((query) => fillStatement(query, values));
    await this.#change("creating the user failed", filled, this.#redactor.with(password));
  }

  async setExpiration(): Promise<void> {
    // Logins have no expiry of their own: the lease alone ends them.
  }

  async setPassword(
    username: string,
    password: string,
    rotationStatements: readonly string[],
  ): Promise<void> {
    const queries = splitStatements(rotationStatements);
    if (queries.length === 0 && this.#settings.isContained) {
      throw badRequest("a user of a contained database needs rotation statements");
    }
    const own = `ALTER LOGIN ${identifier(username)} WITH PASSWORD = ${literal(password)}`;
    const filled = queries.map((query) => fillStatement(query, { name: username, username, password }));
    const statements = filled.length === 0 ? [own] : filled;
    await this.#change("changing the password failed", statements, this.#redactor.with(password));
  }

  async #change(what: string, statements: readonly string[], redactor: Redactor): Promise<void> {
    await this.#use(what, CHANGE_MS_MAX, redactor, (connection) =>
      connection.inTransaction(async (session) => {
        for (const [index, statement] of statements.entries()) {
          await session.query(statement).catch((error: unknown) => {
            throw named(error, `statement ${index + 1} of ${statements.length}`, redactor);
          });
        }
      }),
    );
  }

  async deleteUsers(users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]> {
    return this.#use("deleting users failed", DELETE_MS_MAX, this.#redactor, async (connection) => {
      const outcomes: RevokeOutcome[] = [];
      for (const user of users) outcomes.push(await this.#deleteUser(connection, user));
      return outcomes;
    });
  }

  async #deleteUser(session: Session, user: DoomedUser): Promise<RevokeOutcome> {
    const { username } = user;
    const queries = splitStatements(user.revocationStatements);
    try {
      if (queries.length > 0) await this.#runCustom(session, username, queries);
      else if (this.#settings.isContained) await dropContainedUser(session, username);
      else await dropLogin(session, username);
      return null;
    } catch (error) {
      if (error instanceof ConnectionLost) throw error;
      return named(error, `revoking "${username}"`, this.#redactor);
    }
  }

  /** As in Vault there is no transaction, and every statement is tried; here the sessions are ended besides. */
  async #runCustom(session: Session, username: string, queries: readonly string[]): Promise<void> {
    if (!(await isThere(session, username, this.#settings.isContained))) return;
    const failures: string[] = [];
    for (const query of queries) {
      try {
        await session.query(fillStatement(query, { name: username }));
      } catch (error) {
        if (!(error instanceof StatementRefused)) throw error;
        failures.push(`${messageOf(error)} (error ${error.serverCode})`);
      }
    }
    await endSessions(session, username);
    if (failures.length > 0) {
      throw new DatabaseError("statement", `could not perform all sql statements: ${failures.join("; ")}`);
    }
  }

  async listUsers(): Promise<readonly string[]> {
    const { isContained } = this.#settings;
    const list = (session: Session) => userNames(session, isContained);
    return this.#use("listing the users failed", VERIFY_MS_MAX, this.#redactor, list);
  }

  async preflight(probe: NewUser): Promise<readonly Problem[]> {
    const { tryOut } = await import("./preflight.ts");
    const redactor = this.#redactor.with(probe.password);
    return this.#use("the preflight", CHANGE_MS_MAX, redactor, (connection) =>
      tryOut(connection, probe, this.#settings, redactor),
    );
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #use<T>(
    what: string,
    timeoutMs: number,
    redactor: Redactor,
    work: (connection: MssqlConnection) => Promise<T>,
  ): Promise<T> {
    try {
      const sorted = (connection: MssqlConnection) =>
        work(connection).catch((error: unknown) => {
          throw named(error, "", redactor);
        });
      return await this.#connection.use(timeoutMs, sorted);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      throw error.inWords(`${what}: ${redactor.text(error.message)}`);
    }
  }
}

/** The failure as the plugin's callers know it. @param what - What was tried; "": it says so itself. */
function named(error: unknown, what: string, redactor: Redactor): Error {
  const head = what === "" ? "" : `${what}: `;
  if (error instanceof StatementRefused) {
    const text = `${head}${redactor.text(error.message)} (error ${error.serverCode})`;
    return new DatabaseError("statement", text, { serverCode: error.serverCode });
  }
  if (error instanceof ConnectionLost) {
    return new DatabaseError("unreachable", `${head}${redactor.text(error.message)}`);
  }
  if (error instanceof DatabaseError) {
    return error.inWords(`${head}${redactor.text(error.message)}`);
  }
  return error instanceof Error ? error : new DatabaseError("statement", messageOf(error));
}

export const mssql: DatabasePluginType = {
  names: ["mssql-database-plugin"],
  usernameBytesMax: 128,
  usernameMark: /^v-.*-[A-Za-z0-9]{20}-\d{10}$/,
  defaultUsername: (displayName, roleName, random, nowMs) =>
    defaultUsernameOf(NAME_SHAPE, displayName, roleName, random, nowMs),
  open: (details) => new MssqlPlugin(mssqlSettings(details)),
};
