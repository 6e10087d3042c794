import type { Document } from "mongodb";
import { messageOf } from "../../../../base/errors.ts";
import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { DatabaseError } from "../../plugin.ts";
import type { MongoConnection } from "./connection.ts";

/** A user and the database that it belongs to. */
interface Found {
  readonly user: string;
  readonly db: string;
  readonly roles?: readonly { readonly role: string; readonly db: string }[];
}

/** Roles that hold every right. */
const EVERYTHING = new Set(["root", "__system"]);

const USER_NOT_FOUND = "11";

/**
 * Makes a user gone wherever it is, ends what it has under way, and looks again.
 * @param database - Where to look when the administrator may not look everywhere.
 * @returns Why it is not gone; null when it is.
 * @throws DatabaseError when the server cannot be reached.
 */
export async function deleteUser(
  connection: MongoConnection,
  username: string,
  database: string,
  writeConcern: Document,
): Promise<RevokeOutcome> {
  try {
    const found = await findUser(connection, username, database);
    for (const { user, db } of found) await dropUser(connection, user, db, writeConcern);
    // Also when it was gone already: whoever dropped it by hand has not ended its operations.
    await endSessions(connection, found.length === 0 ? [{ user: username, db: database }] : found);
    const left = await findUser(connection, username, database);
    if (left.length === 0) return null;
    return new DatabaseError(
      "statement",
      `user "${username}" is still in ${left.map(({ db }) => db).join(", ")}`,
    );
  } catch (error) {
    if (error instanceof DatabaseError && ["statement", "ambiguous"].includes(error.kind)) return error;
    throw error instanceof DatabaseError ? error : new DatabaseError("unreachable", messageOf(error));
  }
}

async function dropUser(
  connection: MongoConnection,
  username: string,
  database: string,
  writeConcern: Document,
): Promise<void> {
  try {
    await connection.run(database, { dropUser: username, writeConcern });
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.serverCode !== USER_NOT_FOUND) throw error;
  }
}

/** A user of that name in any database, or in the given one where the administrator may not look further. */
async function findUser(
  connection: MongoConnection,
  username: string,
  database: string,
): Promise<readonly Found[]> {
  try {
    const everywhere = { usersInfo: { forAllDBs: true }, filter: { user: username } };
    return foundIn(await connection.run("admin", everywhere));
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.kind !== "statement") throw error;
    return foundIn(await connection.run(database, { usersInfo: { user: username, db: database } }));
  }
}

/** The names of the users of all databases, those with every right left out. */
export async function userNames(connection: MongoConnection): Promise<readonly string[]> {
  const found = foundIn(await connection.run("admin", { usersInfo: { forAllDBs: true } }));
  const others = found.filter(({ roles = [] }) => !roles.some(({ role }) => EVERYTHING.has(role)));
  return [...new Set(others.map(({ user }) => user))];
}

function foundIn(answer: Document): readonly Found[] {
  return (answer.users as readonly Found[] | undefined) ?? [];
}

/**
 * Ends what is under way in the name of these users. The server itself takes the rights of a connection whose user is gone, at
 * its next command; so an administrator that may not do this is no failure.
 */
async function endSessions(connection: MongoConnection, users: readonly Found[]): Promise<void> {
  try {
    await connection.run("admin", { killAllSessions: users.map(({ user, db }) => ({ user, db })) });
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.kind !== "statement") throw error;
  }
}
