import { type Redactor, StatementRefused } from "../../failures.ts";
import type { NewUser } from "../../plugin.ts";
import { fillStatement, splitStatements } from "../../statements.ts";
import type { Problem } from "../../trial.ts";
import { formatExpiration } from "../../user-values.ts";
import { identifier, literal, type MssqlConnection, type Session } from "./connection.ts";
import type { MssqlSettings } from "./settings.ts";

/** Something that the administrator has to be able to do. */
interface Attempt {
  readonly what: string;
  readonly sql: string;
}

/** "User does not have permission to perform this action", which CREATE LOGIN and CREATE USER say. */
const NO_PERMISSION = "15247";

/**
 * Does what a user's life needs in a transaction that is rolled back, up to the first thing that is refused. Sessions cannot be ended
 * within a transaction: whether the administrator could is asked.
 * @throws StatementRefused, ConnectionLost when it could not be tried.
 * @see SQL Server's documentation of HAS_PERMS_BY_NAME, KILL and sys.dm_exec_sessions.
 */
export async function tryOut(
  connection: MssqlConnection,
  probe: NewUser,
  { isContained, username }: Pick<MssqlSettings, "isContained" | "username">,
  redactor: Redactor,
): Promise<readonly Problem[]> {
  const attempts = attemptsOf(probe, isContained);
  const problem = await connection.rolledBack((session) => firstRefused(session, attempts, redactor));
  const found = problem === null ? [] : [withRemedy(problem, username, isContained)];
  return isContained ? found : [...found, ...(await sessionRights(connection, username))];
}

function attemptsOf(
  { username, password, expiresAt, creationStatements }: NewUser,
  isContained: boolean,
): Attempt[] {
  const name = identifier(username);
  const values = { name: username, password, expiration: formatExpiration(expiresAt) };
  const statements = splitStatements(creationStatements).map((each) => fillStatement(each, values));
  const kind = isContained ? "USER" : "LOGIN";
  const plain = { what: "make a user", sql: `CREATE ${kind} ${name} WITH PASSWORD = ${literal(password)}` };
  const creation = statements.map((sql, index) => ({
    what: `run creation statement ${index + 1} of ${statements.length}`,
    sql,
  }));
  const disable = isContained ? `DENY CONNECT TO ${name}` : `ALTER LOGIN ${name} DISABLE`;
  return [
    ...(creation.length === 0 ? [plain] : creation),
    { what: "take a user's logins away", sql: disable },
    { what: "drop a user", sql: `DROP ${kind} ${name}` },
  ];
}

interface Refused {
  readonly what: string;
  readonly words: string;
  readonly serverCode: string;
}

async function firstRefused(
  session: Session,
  attempts: readonly Attempt[],
  redactor: Redactor,
): Promise<Refused | null> {
  for (const { what, sql } of attempts) {
    try {
      await session.query(sql);
    } catch (error) {
      if (!(error instanceof StatementRefused)) throw error;
      const { serverCode, message } = error;
      return { what, words: `${redactor.text(message)} (error ${serverCode})`, serverCode };
    }
  }
  return null;
}

function withRemedy({ what, words, serverCode }: Refused, username: string, isContained: boolean): Problem {
  if (serverCode !== NO_PERMISSION) return { what, words };
  return {
    what,
    words,
    remedy: `GRANT ALTER ANY ${isContained ? "USER" : "LOGIN"} TO ${identifier(username)}`,
  };
}

/** Seeing sessions takes another permission since SQL Server 2022, which VIEW SERVER STATE includes; older ones know it not: NULL. */
async function sessionRights(session: Session, username: string): Promise<readonly Problem[]> {
  const [row] = await session.query(
    "SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') AS seeing, " +
      "HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER PERFORMANCE STATE') AS seeing_since_2022, " +
      "HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY CONNECTION') AS ending",
  );
  const missing = (what: string, permission: string): Problem => ({
    what,
    words: `it does not have the permission ${permission}`,
    remedy: `GRANT ${permission} TO ${identifier(username)}`,
  });
  const problems: Problem[] = [];
  if (isNo(row?.seeing) && !isYes(row?.seeing_since_2022)) {
    problems.push(missing("see the sessions of users", "VIEW SERVER STATE"));
  }
  if (isNo(row?.ending)) problems.push(missing("end the sessions of users", "ALTER ANY CONNECTION"));
  return problems;
}

function isYes(answer: unknown): boolean {
  return Number(answer ?? 0) === 1;
}

/** NULL says neither: the server does not know what was asked for. */
function isNo(answer: unknown): boolean {
  return Number(answer ?? 1) === 0;
}
