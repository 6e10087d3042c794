/** The plugin for Oracle Database, through its driver's thin mode. @see reference: engines.md section 1.9.4. */

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
  inDoubt,
  type NewUser,
} from "../../plugin.ts";
import { fillStatement, splitStatements } from "../../statements.ts";
import type { Trial } from "../../trial.ts";
import { formatExpiration } from "../../user-values.ts";
import { type OracleConnection, oracleDriver, type Session } from "./connection.ts";
import { dropUser, identifier, isThere, killSessions } from "./drop-user.ts";
import { type OracleSettings, oracleSettings } from "./settings.ts";

const CHANGE_MS_MAX = 45_000;
const VERIFY_MS_MAX = 30_000;
const DELETE_MS_MAX = 300_000;
const NAME_SHAPE = { prefix: "V", separator: "_", displayMax: 8, roleMax: 8 } as const;

export class OraclePlugin implements DatabasePlugin {
  readonly #settings: OracleSettings;
  readonly #connection: KeptConnection<OracleConnection>;
  readonly #redactor: Redactor;

  constructor(settings: OracleSettings, driver = oracleDriver(settings)) {
    this.#settings = settings;
    this.#connection = new KeptConnection(driver);
    this.#redactor = new Redactor([settings.password]);
  }

  async verify(): Promise<void> {
    await this.#use("error verifying connection", VERIFY_MS_MAX, this.#redactor, (session) =>
      session.query("SELECT 1 AS ONE FROM dual"),
    );
  }

  async newUser({ username, password, expiresAt, creationStatements }: NewUser): Promise<void> {
    const values = { name: username, username, password, expiration: formatExpiration(expiresAt) };
    const statements = this.#statementsOf(creationStatements, values);
    if (statements.length === 0) throw badRequest("empty creation statements");
    await this.#change("creating the user failed", statements, password);
  }

  async setExpiration(): Promise<void> {
    // Oracle's users have no expiry of their own: the lease alone ends them.
  }

  async setPassword(
    username: string,
    password: string,
    rotationStatements: readonly string[],
  ): Promise<void> {
    const statements = this.#statementsOf(rotationStatements, { name: username, username, password });
    const own = `ALTER USER ${identifier(username)} IDENTIFIED BY "${password.replaceAll('"', "")}"`;
    if (statements.length === 0 && password.includes('"')) {
      throw badRequest("Oracle has no way to write a password with a double quote in it");
    }
    try {
      await this.#change(
        "changing the password failed",
        statements.length === 0 ? [own] : statements,
        password,
      );
    } catch (error) {
      // A block of the operator's own can do several things.
      throw inDoubt(error, this.#settings.isSplit ? statements.length : statements.length * 2);
    }
  }

  #statementsOf(elements: readonly string[], values: Readonly<Record<string, string>>): readonly string[] {
    const queries = this.#settings.isSplit
      ? splitStatements(elements)
      : elements.map((element) => element.trim()).filter((element) => element !== "");
    return queries.map((query) => fillStatement(query, values));
  }

  async #change(what: string, statements: readonly string[], password: string): Promise<void> {
    const redactor = this.#redactor.with(password);
    await this.#use(what, CHANGE_MS_MAX, redactor, async (session) => {
      for (const [index, statement] of statements.entries()) {
        await session.query(statement).catch((error: unknown) => {
          throw named(error, `statement ${index + 1} of ${statements.length}`, redactor);
        });
      }
    });
  }

  async deleteUsers(users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]> {
    return this.#use("deleting users failed", DELETE_MS_MAX, this.#redactor, async (session) => {
      const outcomes: RevokeOutcome[] = [];
      for (const user of users) outcomes.push(await this.#deleteUser(session, user));
      return outcomes;
    });
  }

  async #deleteUser(
    session: Session,
    { username, revocationStatements }: DoomedUser,
  ): Promise<RevokeOutcome> {
    const statements = this.#statementsOf(revocationStatements, { name: username, username });
    try {
      if (statements.length === 0) await dropUser(session, username, this.#settings.endsSessions);
      else await this.#runCustom(session, username, statements);
      return null;
    } catch (error) {
      if (error instanceof ConnectionLost) throw error;
      return named(error, `revoking "${username}"`, this.#redactor);
    }
  }

  async #runCustom(session: Session, username: string, statements: readonly string[]): Promise<void> {
    if (!(await isThere(session, username))) return;
    if (this.#settings.endsSessions) await killSessions(session, username);
    for (const statement of statements) await session.query(statement);
  }

  async listUsers(): Promise<readonly string[]> {
    // Those that come with the server are marked as its own since version 12.1.
    const text = "SELECT username FROM all_users WHERE oracle_maintained = 'N'";
    const list = (session: Session) => session.query(text);
    const rows = await this.#use("listing the users failed", VERIFY_MS_MAX, this.#redactor, list);
    return rows.map(({ USERNAME }) => String(USERNAME));
  }

  async trial(): Promise<Trial> {
    const { OracleTrial } = await import("./trial.ts");
    const use: ConstructorParameters<typeof OracleTrial>[0] = (work) =>
      this.#use("the preflight", VERIFY_MS_MAX, this.#redactor, work);
    return new OracleTrial(use, this.#settings);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #use<T>(
    what: string,
    timeoutMs: number,
    redactor: Redactor,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#connection.use(timeoutMs, (connection) =>
        connection.withSession(work).catch((error: unknown) => {
          throw named(error, "", redactor);
        }),
      );
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      throw error.inWords(`${what}: ${redactor.text(error.message)}`);
    }
  }
}

/** The failure as the plugin's callers know it. @param what - What was tried; "": it says so itself. */
function named(error: unknown, what: string, redactor: Redactor): Error {
  const head = what === "" ? "" : `${what}: `;
  const { serverCode } = (error ?? {}) as { readonly serverCode?: string };
  const text = `${head}${redactor.text(messageOf(error))}`;
  if (error instanceof StatementRefused) return new DatabaseError("statement", text, { serverCode });
  if (error instanceof ConnectionLost) return new DatabaseError("unreachable", text, { serverCode });
  if (error instanceof DatabaseError) return error.inWords(text);
  return error instanceof Error ? error : new DatabaseError("statement", messageOf(error));
}

export const oracle: DatabasePluginType = {
  names: ["oracle-database-plugin", "vault-plugin-database-oracle"],
  usernameBytesMax: 30,
  // All of them are cut at the limit.
  usernameMark: /^(?=.{30}$)V_.{0,8}_.{0,8}_[A-Z0-9]{10,20}(?:_\d{0,10})?$/,
  defaultUsername: (displayName, roleName, random, nowMs) =>
    defaultUsernameOf(NAME_SHAPE, displayName, roleName, random, nowMs).replace(/[-.]/g, "_").toUpperCase(),
  open: (details) => new OraclePlugin(oracleSettings(details)),
};
