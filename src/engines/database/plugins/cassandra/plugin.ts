/** The plugin for Apache Cassandra, and for what speaks its protocol and has its roles. @see reference: engines.md 1.9.5. */

import { messageOf } from "../../../../base/errors.ts";
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
import { type CassandraConnection, cassandraDriver } from "./connection.ts";
import { type CassandraSettings, cassandraSettings } from "./settings.ts";

const CHANGE_MS_MAX = 45_000;
const VERIFY_MS_MAX = 30_000;
const DELETE_MS_MAX = 120_000;
const NAME_SHAPE = { prefix: "v", separator: "_", displayMax: 15, roleMax: 15 } as const;
/** The protocol's code of an administrator that may not do this. */
const UNAUTHORIZED = "0x2100";

class CassandraPlugin implements DatabasePlugin {
  readonly #settings: CassandraSettings;
  readonly #connection: KeptConnection<CassandraConnection>;
  readonly #redactor: Redactor;

  constructor(settings: CassandraSettings) {
    this.#settings = settings;
    this.#connection = new KeptConnection(cassandraDriver(settings));
    this.#redactor = new Redactor([settings.password]);
  }

  async verify(): Promise<void> {
    const check = (connection: CassandraConnection) =>
      this.#settings.isVerificationSkipped ? Promise.resolve() : requireRights(connection);
    await this.#use("error verifying connection", VERIFY_MS_MAX, this.#redactor, check);
  }

  async newUser(user: NewUser): Promise<void> {
    const { username, password } = user;
    const own = `CREATE USER ${literal(username)} WITH PASSWORD ${literal(password)} NOSUPERUSER`;
    const queries = queriesOf(user.creationStatements, { username, password }, own);
    const redactor = this.#redactor.with(password);
    await this.#use("creating the user failed", CHANGE_MS_MAX, redactor, async (connection) => {
      try {
        await runAll(connection, queries, redactor);
      } catch (error) {
        // There are no transactions: what was done is undone. When that fails too, the lease still ends the user.
        const undo = queriesOf(user.rollbackStatements ?? [], { username }, dropOf(username));
        const failures = await collect(connection, undo, redactor);
        throw failures.length === 0 ? error : joined([error, ...failures]);
      }
    });
  }

  async setExpiration(): Promise<void> {
    // Cassandra's users have no expiry of their own: the lease alone ends them.
  }

  async setPassword(
    username: string,
    password: string,
    rotationStatements: readonly string[],
  ): Promise<void> {
    const own = `ALTER USER ${literal(username)} WITH PASSWORD ${literal(password)}`;
    const queries = queriesOf(rotationStatements, { username, password }, own);
    const redactor = this.#redactor.with(password);
    await this.#use("changing the password failed", CHANGE_MS_MAX, redactor, async (connection) => {
      try {
        await runAll(connection, queries, redactor);
      } catch (error) {
        throw inDoubt(error, queries.length);
      }
    });
  }

  async deleteUsers(users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]> {
    return this.#use("deleting users failed", DELETE_MS_MAX, this.#redactor, async (connection) => {
      const outcomes: RevokeOutcome[] = [];
      for (const user of users) outcomes.push(await this.#deleteUser(connection, user));
      return outcomes;
    });
  }

  async #deleteUser(connection: CassandraConnection, user: DoomedUser): Promise<RevokeOutcome> {
    const { username, revocationStatements } = user;
    const isOwnPlan = splitStatements(revocationStatements).length === 0;
    // Statements of one's own seldom know of a user that is gone already.
    if (!isOwnPlan && !(await isThere(connection, username))) return null;
    const queries = queriesOf(revocationStatements, { username }, dropOf(username));
    const failures = await collect(connection, queries, this.#redactor);
    if (failures.length > 0) return joined(failures);
    if (!isOwnPlan || !(await isThere(connection, username))) return null;
    return new DatabaseError("statement", `user "${username}" is still there after it was dropped`);
  }

  async listUsers(): Promise<readonly string[]> {
    const list = (connection: CassandraConnection) => connection.query("LIST ROLES");
    const roles = await this.#use("listing the users failed", VERIFY_MS_MAX, this.#redactor, list);
    return roles.filter((row) => row.super !== true).map(({ role }) => String(role));
  }

  async trial(): Promise<Trial> {
    const { CassandraTrial } = await import("./trial.ts");
    const { username } = this.#settings;
    return new CassandraTrial(
      (work) => this.#use("the preflight", VERIFY_MS_MAX, this.#redactor, work),
      username,
    );
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #use<T>(
    what: string,
    timeoutMs: number,
    redactor: Redactor,
    work: (connection: CassandraConnection) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#connection.use(timeoutMs, (connection) => work(connection).catch(asDatabaseError));
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      throw error.inWords(`${what}: ${redactor.text(error.message)}`);
    }
  }
}

function asDatabaseError(error: unknown): never {
  if (error instanceof StatementRefused) {
    throw new DatabaseError("statement", error.message, { serverCode: error.serverCode });
  }
  if (error instanceof ConnectionLost) throw new DatabaseError("unreachable", error.message);
  throw error;
}

/** A text as CQL writes it. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function dropOf(username: string): string {
  return `DROP USER IF EXISTS ${literal(username)}`;
}

/** The statements as queries, or the plugin's own where there are none. */
function queriesOf(
  statements: readonly string[],
  values: { readonly username: string; readonly password?: string },
  own: string,
): readonly string[] {
  const queries = splitStatements(statements);
  const filled = queries.map((query) => fillStatement(query, { name: values.username, ...values }));
  return filled.length === 0 ? [own] : filled;
}

/** @throws DatabaseError at the first that is refused, naming it. */
async function runAll(
  connection: CassandraConnection,
  queries: readonly string[],
  redactor: Redactor,
): Promise<void> {
  for (const [index, query] of queries.entries()) {
    try {
      await connection.query(query);
    } catch (error) {
      if (!(error instanceof StatementRefused)) throw error;
      const text = `statement ${index + 1} of ${queries.length} failed: ${redactor.text(error.message)}`;
      throw new DatabaseError("statement", text, { serverCode: error.serverCode });
    }
  }
}

/** Runs all, whatever becomes of each. @returns What was refused. */
async function collect(
  connection: CassandraConnection,
  queries: readonly string[],
  redactor: Redactor,
): Promise<readonly DatabaseError[]> {
  const failures: DatabaseError[] = [];
  for (const query of queries) {
    try {
      await runAll(connection, [query], redactor);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      failures.push(error);
    }
  }
  return failures;
}

function joined(failures: readonly unknown[]): DatabaseError {
  return new DatabaseError("statement", failures.map(messageOf).join("; "));
}

/** False also where the administrator may drop users and not see them: then the drop itself has to be believed. */
async function isThere(connection: CassandraConnection, username: string): Promise<boolean> {
  try {
    return (await connection.query(`LIST ROLES OF ${literal(username)} NORECURSIVE`)).length > 0;
  } catch (error) {
    if (error instanceof StatementRefused) return false;
    throw error;
  }
}

/** Vault's check of an administrator: it may list permissions, or at least it holds the one to make roles. */
async function requireRights(connection: CassandraConnection): Promise<void> {
  try {
    await connection.query("LIST ALL");
  } catch (error) {
    if (!(error instanceof StatementRefused)) throw error;
    const rows = await connection.query("LIST CREATE ON ALL ROLES");
    if (rows.length > 0) return;
    throw new DatabaseError("statement", "the user may not create roles", { serverCode: UNAUTHORIZED });
  }
}

export const cassandra: DatabasePluginType = {
  names: ["cassandra-database-plugin"],
  usernameBytesMax: 100,
  usernameMark: /^v_.*_[a-z0-9]{20}_\d{10}$/,
  defaultUsername: (displayName, roleName, random, nowMs) =>
    defaultUsernameOf(NAME_SHAPE, displayName, roleName, random, nowMs).replaceAll("-", "_").toLowerCase(),
  open: (details) => new CassandraPlugin(cassandraSettings(details)),
};
