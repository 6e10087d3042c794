import { StatementRefused } from "../../failures.ts";
import { DatabaseError } from "../../plugin.ts";
import type { Row, Session } from "./connection.ts";

const NO_SUCH_USER = "ORA-01918";
/** The role or the privilege was not granted, or the session has ended by itself. */
const NOT_GRANTED = new Set(["ORA-01951", "ORA-01952"]);
const NO_SUCH_SESSION = new Set(["ORA-00030", "ORA-00031"]);

/** A name as Oracle has it: folded to upper case, unless it needs quotes. */
export function identifier(username: string): string {
  return /^[A-Za-z][A-Za-z0-9_$#]*$/.test(username) ? username : `"${username.replaceAll('"', "")}"`;
}

/** The name as the server's views show it. */
function storedName(username: string): string {
  return identifier(username) === username ? username.toUpperCase() : username;
}

/**
 * The built-in plan: locked, its sessions ended, the rights to log in taken, dropped, and its absence seen.
 * @throws StatementRefused, DatabaseError `statement`, ConnectionLost.
 * @see reference: engines.md section 1.9.4.
 */
export async function dropUser(session: Session, username: string, endsSessions: boolean): Promise<void> {
  const name = identifier(username);
  if (!(await isThere(session, username))) return;
  await unless([NO_SUCH_USER], session.query(`ALTER USER ${name} ACCOUNT LOCK`));
  if (endsSessions) await killSessions(session, username);
  for (const right of ["CONNECT", "CREATE SESSION"]) {
    await unless([...NOT_GRANTED, NO_SUCH_USER], session.query(`REVOKE ${right} FROM ${name}`));
  }
  await unless([NO_SUCH_USER], session.query(`DROP USER ${name}`));
  if (!(await isThere(session, username))) return;
  throw new DatabaseError("statement", `user ${name} is still there after it was dropped`);
}

export async function isThere(session: Session, username: string): Promise<boolean> {
  const text = "SELECT username FROM all_users WHERE username = :name";
  return (await session.query(text, { name: storedName(username) })).length > 0;
}

/** The user's sessions, on every instance of a cluster. */
export async function sessionsOf(session: Session, username: string): Promise<readonly Row[]> {
  const text =
    "SELECT sid AS SID, serial# AS SERIAL, inst_id AS INSTANCE FROM gv$session WHERE username = :name";
  return session.query(text, { name: storedName(username) });
}

/** Ends the user's sessions, on every instance of a cluster. */
export async function killSessions(session: Session, username: string): Promise<void> {
  for (const { SID, SERIAL, INSTANCE } of await sessionsOf(session, username)) {
    const target = `'${Number(SID)},${Number(SERIAL)},@${Number(INSTANCE)}'`;
    await unless([...NO_SUCH_SESSION], session.query(`ALTER SYSTEM KILL SESSION ${target} IMMEDIATE`));
  }
}

async function unless(codes: readonly string[], statement: Promise<unknown>): Promise<void> {
  try {
    await statement;
  } catch (error) {
    if (!(error instanceof StatementRefused) || !codes.includes(error.serverCode)) throw error;
  }
}
