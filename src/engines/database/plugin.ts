import type { Clock } from "../../base/clock.ts";
import type { JsonObject } from "../../base/json.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type { RevokeOutcome } from "../../framework/secret.ts";

/** A failure of the database. Messages name what was tried and the server's own code; a plugin takes passwords out of them. */
export class DatabaseError extends Error {
  /** `auth`: the login was refused; `unreachable`: no answer; `statement`: the server refused a statement; `ambiguous`: a commit was sent and its outcome is not known. */
  readonly kind: "auth" | "unreachable" | "statement" | "ambiguous";
  /** The server's own code, such as an SQLSTATE. */
  readonly serverCode: string | undefined;

  constructor(
    kind: DatabaseError["kind"],
    message: string,
    options?: { serverCode?: string | undefined; cause?: unknown },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DatabaseError";
    this.kind = kind;
    this.serverCode = options?.serverCode;
  }
}

export interface NewUser {
  readonly username: string;
  readonly password: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly creationStatements: readonly string[];
  /** What undoes a creation that failed in the middle, for databases without transactions. Empty: the plugin's own. */
  readonly rollbackStatements?: readonly string[];
}

export interface DoomedUser {
  readonly username: string;
  /** Empty: the plugin's own plan. */
  readonly revocationStatements: readonly string[];
}

/** A live connection to one database server, as its administrator. */
export interface DatabasePlugin {
  /**
   * Begins to connect, so that the next use need not wait for it. Resolves as soon as it is the server's turn, or a few
   * milliseconds later. Never fails: a failure is met by that use.
   */
  warm?(): Promise<void>;
  /** Connects and pings. @throws DatabaseError. */
  verify(): Promise<void>;
  /** All of the statements, or none. @throws DatabaseError; `ambiguous` when it may have taken effect. */
  newUser(user: NewUser): Promise<void>;
  /** Moves the user's own expiry, where the database has one. */
  setExpiration(username: string, expiresAt: number, renewStatements: readonly string[]): Promise<void>;
  /** Changes a user's password (its own, for the administrator). */
  setPassword(username: string, password: string, rotationStatements: readonly string[]): Promise<void>;
  /**
   * Makes the users gone, their sessions ended, and verifies it; a user that is not there is a success. Waits for a
   * creation of the same user that is still under way on the server.
   * @returns One outcome for each, in order.
   */
  deleteUsers(users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]>;
  close(): Promise<void>;
}

export interface PluginContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Finds a plugin by its `plugin_name`. @throws ApiError 400 for an unknown one. */
export type PluginFinder = (name: string) => Promise<DatabasePluginType>;

/** How one kind of database is driven. */
export interface DatabasePluginType {
  /** The accepted values of `plugin_name`. */
  readonly names: readonly string[];
  /** The longest user name the server takes, in bytes. */
  readonly usernameBytesMax: number;
  /** Builds the default user name, before it is cut to the limit. */
  defaultUsername(displayName: string, roleName: string, random: Random, nowMs: number): string;
  /**
   * Checks the connection details and makes an unconnected plugin.
   * @param details - Connection details with the password in place: `connection_url`, `username`, `password` and the rest.
   * @throws ApiError 400 naming the parameter that is wrong.
   */
  open(details: JsonObject, context: PluginContext): DatabasePlugin;
}
