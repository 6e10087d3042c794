import type { Clock } from "../../../../base/clock.ts";
import { type Redactor, StatementRefused } from "../../failures.ts";
import type { NewUser } from "../../plugin.ts";
import type { Pool } from "../../pool.ts";
import { fillStatement, splitStatements } from "../../statements.ts";
import { grantToHandOn, type Problem, type Trial, type TrialStep } from "../../trial.ts";
import { accountsQuery, currentAccount } from "./accounts.ts";
import { Connection, type ServerKind } from "./connection.ts";
import { asDatabaseError, refusalText } from "./failures.ts";
import { accountName, literal } from "./quoting.ts";
import { awaitEnd, kill, SESSIONS_PROBE } from "./sessions.ts";
import type { MysqlSettings } from "./settings.ts";

const STEP_MS_MAX = 30_000;

/** Numbers of refusals for want of a privilege: on a database, a table, a column, a routine; to make users by GRANT; in general. */
const PRIVILEGE_MISSING = new Set([1044, 1142, 1143, 1227, 1370, 1410].map(String));

/** Something that the administrator has to be able to do, and what grants it. */
interface Check {
  readonly what: string;
  readonly sql: string;
  readonly privilege: string;
}

/** How a user's life is tried on MySQL and MariaDB, where statements about users commit by themselves. */
export class MysqlTrial implements Trial {
  readonly plainUser = ["CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'"];
  readonly #pool: Pool<Connection>;
  readonly #settings: MysqlSettings;
  readonly #redactor: Redactor;
  readonly #clock: Clock;

  constructor(pool: Pool<Connection>, settings: MysqlSettings, redactor: Redactor, clock: Clock) {
    this.#pool = pool;
    this.#settings = settings;
    this.#redactor = redactor;
    this.#clock = clock;
  }

  /** In one round trip where nothing is refused. */
  rehearse({ username }: NewUser): Promise<readonly Problem[]> {
    return this.#use(async (connection) => {
      const checks = checksOf(username, connection.server);
      try {
        await connection.query(checks.map(({ sql }) => sql).join("; "));
        return [];
      } catch (error) {
        if (!(error instanceof StatementRefused)) throw error;
      }
      const problems: Problem[] = [];
      for (const check of checks) problems.push(...(await this.#check(connection, check)));
      return problems;
    });
  }

  async #check(connection: Connection, { what, sql, privilege }: Check): Promise<readonly Problem[]> {
    try {
      await connection.query(sql);
      return [];
    } catch (error) {
      if (!(error instanceof StatementRefused)) throw error;
      const isPrivilege = PRIVILEGE_MISSING.has(error.serverCode);
      const remedy = isPrivilege ? `GRANT ${privilege} TO ${await self(connection)}` : undefined;
      return [{ what, words: refusalText(error, this.#redactor), remedy, keepsUsers: true }];
    }
  }

  /** Logs in as the user, and has the session ended. One that may not log in from here has none that could be tried. */
  async tryOn({ username, password }: NewUser): Promise<readonly Problem[]> {
    const login = { ...this.#settings, user: username, password, database: "", variables: [] };
    const session = await Connection.open(login, STEP_MS_MAX).catch(() => null);
    if (session === null) return [];
    return this.#use(async (connection) => {
      const problems = await this.#tryKill(connection, session.id).finally(() => session.destroy());
      // It goes with its client all the same, and is not to be met by what drops the user.
      await awaitEnd(connection, session.id, this.#clock);
      return problems;
    });
  }

  async #tryKill(connection: Connection, session: number): Promise<readonly Problem[]> {
    try {
      await kill(connection, session);
      return [];
    } catch (error) {
      if (!(error instanceof StatementRefused)) throw error;
      const privilege = killPrivilege(connection.server);
      const remedy = `GRANT ${privilege} ON *.* TO ${await self(connection)}`;
      return [{ what: "end the sessions of a user", words: refusalText(error, this.#redactor), remedy }];
    }
  }

  /** A role's user is refused where the administrator may not hand on what the role grants; making users has been rehearsed. */
  async remedyFor(
    step: TrialStep,
    refusal: Error,
    { username, creationStatements }: NewUser,
  ): Promise<string | undefined> {
    const { serverCode = "" } = refusal as { readonly serverCode?: string };
    if (step !== "create" || !PRIVILEGE_MISSING.has(serverCode)) return undefined;
    const grantee = await this.#use(self);
    const values = { name: username, username };
    const grants = splitStatements(creationStatements)
      .map((statement) => grantToHandOn(fillStatement(statement, values), grantee))
      .filter((grant) => grant !== undefined);
    return grants.length === 0 ? undefined : grants.join("; ");
  }

  async #use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      return await this.#pool.use(STEP_MS_MAX, work);
    } catch (error) {
      throw asDatabaseError(error, "the preflight", this.#redactor);
    }
  }
}

function checksOf(username: string, server: ServerKind): readonly Check[] {
  const account = accountName({ user: username, host: "%" });
  const checks: Check[] = [
    { what: "look for a user's accounts", sql: accountsQuery([username]), privilege: "SELECT ON mysql.user" },
    { what: "see the sessions of users", sql: SESSIONS_PROBE, privilege: "PROCESS ON *.*" },
  ];
  // DROP USER IF EXISTS came with MariaDB 10.1.3 and MySQL 5.7.8.
  const isOld = server.version < (server.isMariadb ? 100_103 : 50_708);
  const drop: Check = {
    what: "make and drop users",
    sql: `DROP USER IF EXISTS ${account}`,
    privilege: "CREATE USER ON *.*",
  };
  return isOld ? checks : [...checks, drop];
}

/** What ending other users' sessions takes: a privilege of its own since MariaDB 10.5.2 and MySQL 8. */
function killPrivilege({ isMariadb, version }: ServerKind): string {
  if (isMariadb) return version < 100_502 ? "SUPER" : "CONNECTION ADMIN";
  return version < 80_000 ? "SUPER" : "CONNECTION_ADMIN";
}

/** The administrator's account as a GRANT has it. */
async function self(connection: Connection): Promise<string> {
  const { user, host } = await currentAccount(connection);
  return `${literal(user, true)}@${literal(host, true)}`;
}
