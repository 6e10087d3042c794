import type { Document } from "mongodb";
import { DatabaseError, type NewUser } from "../../plugin.ts";
import type { Problem, Trial, TrialStep } from "../../trial.ts";
import type { MongoConnection } from "./connection.ts";
import type { MongoSettings } from "./settings.ts";

/** Lends the administrator's connection. @param secret - What must not be in an error. @throws DatabaseError. */
type Use = <T>(work: (connection: MongoConnection) => Promise<T>, secret?: string) => Promise<T>;

/** Unauthorized, of the server's error codes. */
const UNAUTHORIZED = "13";

/** How a user's life is tried on MongoDB, in the database that the connection is to. */
export class MongoTrial implements Trial {
  readonly plainUser: readonly string[];
  readonly #use: Use;
  readonly #settings: Pick<MongoSettings, "username" | "database" | "writeConcern">;

  constructor(use: Use, settings: Pick<MongoSettings, "username" | "database" | "writeConcern">) {
    this.#use = use;
    this.#settings = settings;
    const db = settings.database;
    this.plainUser = [JSON.stringify({ db, roles: [{ role: "read", db }] })];
  }

  /** The command to drop a user, and the one that ends what it has under way: of nobody both change nothing. */
  rehearse({ username }: NewUser): Promise<readonly Problem[]> {
    const { database, writeConcern } = this.#settings;
    const drop = { dropUser: username, writeConcern };
    const end = { killAllSessions: [{ user: username, db: database }] };
    return this.#use(async (connection) => {
      const [dropping, ending] = await Promise.all([
        refusalFor(connection, database, drop),
        refusalFor(connection, "admin", end),
      ]);
      const problems: Problem[] = [];
      if (dropping !== null) {
        const remedy = this.#grant("userAdminAnyDatabase");
        problems.push({ what: "drop users", words: plain(dropping), remedy, keepsUsers: true });
      }
      if (ending !== null) {
        const remedy = this.#grant("hostManager");
        problems.push({ what: "end what a user has under way", words: plain(ending), remedy });
      }
      return problems;
    });
  }

  async tryOn({ username, password }: NewUser): Promise<readonly Problem[]> {
    const { database, writeConcern } = this.#settings;
    const change = { updateUser: username, pwd: password, writeConcern };
    const refusal = await this.#use((connection) => refusalFor(connection, database, change), password);
    if (refusal === null) return [];
    const remedy = this.#grant("userAdminAnyDatabase");
    return [{ what: "change a user's password", words: plain(refusal), remedy }];
  }

  async remedyFor(_step: TrialStep, refusal: Error): Promise<string | undefined> {
    const isPrivilege = refusal instanceof DatabaseError && refusal.serverCode === UNAUTHORIZED;
    return isPrivilege ? this.#grant("userAdminAnyDatabase") : undefined;
  }

  #grant(role: string): string {
    const { username, database } = this.#settings;
    const grants = JSON.stringify([{ role, db: "admin" }]);
    return `db.getSiblingDB(${JSON.stringify(database)}).grantRolesToUser(${JSON.stringify(username)}, ${grants})`;
  }
}

/** The refusal for want of a right; null: it was not refused, or for another reason. */
async function refusalFor(
  connection: MongoConnection,
  database: string,
  command: Document,
): Promise<DatabaseError | null> {
  try {
    await connection.run(database, command);
    return null;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.kind !== "statement") throw error;
    return error.serverCode === UNAUTHORIZED ? error : null;
  }
}

/** The server repeats the whole command; its name is enough. */
function plain({ message }: DatabaseError): string {
  return `${message.replace(/(to execute command) \{ ?(\w+)[\s\S]*$/, "$1 $2")} (error ${UNAUTHORIZED})`;
}
