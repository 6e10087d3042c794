/** The plugin for PostgreSQL, and for what speaks its protocol and has its roles. @see reference: engines.md 1.9.2. */

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
import type { Problem } from "../../trial.ts";
import { cutBytes, formatExpiration } from "../../user-values.ts";
import { Connection } from "./connection.ts";
import { asDatabaseError } from "./failures.ts";
import type { Probe } from "./preflight.ts";
import { identifier, literal } from "./quoting.ts";
import { revokeUsers } from "./revoke.ts";
import { SALT_BYTES, scramVerifier } from "./scram.ts";
import { type PostgresSettings, postgresSettings } from "./settings.ts";
import { runTransaction } from "./transaction.ts";

/** For everything that a creation, a renewal or a change of password does, connecting included. */
const CHANGE_MS_MAX = 45_000;
const VERIFY_MS_MAX = 30_000;

/** The SQLSTATE of a login whose password is wrong; also of a role that is not there, or whose password has expired. */
const INVALID_PASSWORD = "28P01";

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
    this.#redactor = new Redactor([settings.password], [settings.user]);
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

  async verifyLogin(username: string, password: string): Promise<LoginOutcome> {
    const settings = { ...this.#settings, user: username, password };
    try {
      await (await Connection.open(settings, VERIFY_MS_MAX)).close();
      return "accepted";
    } catch (error) {
      const failure = asDatabaseError(error, "the login", this.#redactor.with(password));
      if (failure.kind !== "auth") throw failure;
      const isRefused = failure.serverCode === INVALID_PASSWORD && !(await this.#hasExpired(username));
      return isRefused ? "refused" : "barred";
    }
  }

  /** Whether a user's password has expired, which the server tells whoever logs in as if it were wrong. */
  async #hasExpired(username: string): Promise<boolean> {
    const text = "SELECT coalesce(rolvaliduntil < now(), false) AS expired FROM pg_roles WHERE rolname = $1";
    try {
      const query = { text, values: [username] };
      const [row] = await this.#pool.use(VERIFY_MS_MAX, (connection) => connection.query(query));
      return row?.expired === true;
    } catch {
      // Without an administrator who could look, it counts as what the server said it is.
      return false;
    }
  }

  deleteUsers(users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]> {
    const graceMs = Math.max(0, ...users.map(({ sessionGraceMs }) => sessionGraceMs ?? 0));
    return revokeUsers(this.#pool, users, {
      settings: this.#settings,
      plugin: this.#context,
      redactor: this.#redactor,
      graceUntilMs: performance.now() + graceMs,
    });
  }

  async listUsers(): Promise<readonly string[]> {
    const text = "SELECT rolname::text AS name FROM pg_roles WHERE NOT rolsuper ORDER BY rolname";
    try {
      const rows = await this.#pool.use(VERIFY_MS_MAX, (connection) => connection.query({ text }));
      return rows.map(({ name }) => String(name));
    } catch (error) {
      throw asDatabaseError(error, "listing the users", this.#redactor);
    }
  }

  async preflight({
    username,
    password,
    expiresAt,
    creationStatements,
  }: NewUser): Promise<readonly Problem[]> {
    const { tryOut } = await import("./preflight.ts");
    const expiration = formatExpiration(expiresAt);
    const stored = await this.#storedPassword(password);
    const values = { name: username, username, password: stored, expiration };
    const queries = splitStatements(creationStatements, { keepBlocks: true });
    const statements = queries.map((query) => fillStatement(query, values));
    const redactor = this.#redactor.with(password, stored);
    const probe: Probe = {
      username,
      password: stored,
      expiration,
      statements,
      administrator: this.#settings.user,
    };
    try {
      return await this.#pool.use(CHANGE_MS_MAX, (connection) => tryOut(connection, probe, redactor));
    } catch (error) {
      throw asDatabaseError(error, "the preflight", redactor);
    }
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

/** A grant of a privilege on an object to the user itself, not to a role that it is a member of. */
const DIRECT_GRANT = /\bGRANT\b[^;]*\bON\b[^;]*\bTO\b[^;]*\{\{(?:name|username)\}\}/i;

/** @see reference: users' pains, direct grants. */
function reviewCreation(statements: readonly string[]): readonly string[] {
  if (!splitStatements(statements, { keepBlocks: true }).some((query) => DIRECT_GRANT.test(query))) return [];
  return [
    "The creation statements grant privileges on objects to each user. PostgreSQL keeps such grants in the object's own row, which is " +
      "full at about 2,440 users: grant them to a group role once, and make users its members (IN ROLE).",
  ];
}

export const postgresql: DatabasePluginType = {
  names: ["postgresql-database-plugin"],
  usernameBytesMax: 63,
  usernameMark: /^v-.*-[A-Za-z0-9]{20}-\d{10}$/,
  givesGrace: true,
  reviewCreation,
  clientConnection: async (details, login) =>
    (await import("./client-connection.ts")).clientConnection(details, login),
  defaultUsername: (displayName: string, roleName: string, random: Random, nowMs: number) => {
    const parts = [cutBytes(displayName, 8), cutBytes(roleName, 8), randomString(random, 20)];
    return `v-${parts.join("-")}-${Math.floor(nowMs / 1000)}`;
  },
  open: (details, context) => new PostgresPlugin(postgresSettings(details), context),
};
