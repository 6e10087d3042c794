import type { Clock } from "../../base/clock.ts";
import type { JsonObject } from "../../base/json.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type { RevokeOutcome } from "../../framework/secret.ts";
import type { CredentialType } from "./credential-type.ts";
import type { Problem, Trial } from "./trial.ts";

/** A failure of the database. Messages name what was tried and the server's own code; a plugin takes passwords out of them. */
export class DatabaseError extends Error {
  /** `auth`: the login was refused; `unreachable`: no answer; `statement`: the server refused a statement; `ambiguous`: a commit was sent and its outcome is not known. */
  readonly kind: "auth" | "unreachable" | "statement" | "ambiguous";
  /** The server's own code, such as an SQLSTATE. */
  readonly serverCode: string | undefined;
  /** There was no connection to be had, so the server was asked for nothing. */
  readonly isUnasked: boolean;

  constructor(
    kind: DatabaseError["kind"],
    message: string,
    options?: { serverCode?: string | undefined; cause?: unknown; isUnasked?: boolean },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DatabaseError";
    this.kind = kind;
    this.serverCode = options?.serverCode;
    this.isUnasked = options?.isUnasked ?? false;
  }

  /** The same failure in other words. */
  inWords(message: string): DatabaseError {
    const { kind, serverCode, isUnasked } = this;
    return new DatabaseError(kind, message, { serverCode, isUnasked });
  }
}

/** A failure to get a connection, as those see it who were about to ask for something over it. */
export function unasked(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error;
  const { kind, message, serverCode } = error;
  return new DatabaseError(kind, message, { serverCode, cause: error, isUnasked: true });
}

/**
 * The failure of several steps that the server does not take back: where one of them is refused, those before it may have changed
 * the password, and nobody may conclude that nothing was changed.
 * @param steps - How many there were.
 */
export function inDoubt(error: unknown, steps: number): unknown {
  if (steps < 2 || !(error instanceof DatabaseError) || error.kind !== "statement") return error;
  return new DatabaseError("ambiguous", error.message, { serverCode: error.serverCode, cause: error });
}

export interface NewUser {
  readonly username: string;
  /** "" for a user with another kind of credential. */
  readonly password: string;
  /** With credential type rsa_private_key: SubjectPublicKeyInfo in PEM. */
  readonly publicKey?: string | undefined;
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
  /** How long its sessions may go on before they are ended, at most a minute; absent: not at all. */
  readonly sessionGraceMs?: number;
}

/**
 * How a login ended: `accepted`; `refused`, because the password is another; or `barred`: whatever the password, this user may
 * not log in here (it has no login, or no right to the database).
 */
export type LoginOutcome = "accepted" | "refused" | "barred";

/** A live connection to one database server, as its administrator. */
export interface DatabasePlugin {
  /**
   * Begins to connect, so that the next use need not wait for it. Resolves as soon as it is the server's turn, or a few
   * milliseconds later. Never fails: a failure is met by that use.
   */
  warm?(): Promise<void>;
  /** Connects and pings. @throws DatabaseError. */
  verify(): Promise<void>;
  /**
   * All of the statements, or none.
   * @throws DatabaseError; `ambiguous` when it may have taken effect, with `isUnasked` only when nothing was asked at all.
   */
  newUser(user: NewUser): Promise<void>;
  /** Moves the user's own expiry, where the database has one. */
  setExpiration(username: string, expiresAt: number, renewStatements: readonly string[]): Promise<void>;
  /**
   * Changes a user's password (its own, for the administrator): the whole of it, or nothing. Setting the same one again is a
   * success.
   * @throws DatabaseError: `statement` only when the change was surely refused.
   */
  setPassword(username: string, password: string, rotationStatements: readonly string[]): Promise<void>;
  /**
   * Logs in as a user over a new connection, to the same server and database, and out again. For a plugin without it, another
   * one is opened with the user's login and verified.
   * @throws DatabaseError when the server could not be asked.
   */
  verifyLogin?(username: string, password: string): Promise<LoginOutcome>;
  /**
   * Makes the users gone, their sessions ended, and verifies it; a user that is not there is a success. Waits for a
   * creation of the same user that is still under way on the server.
   * @returns One outcome for each, in order.
   */
  deleteUsers(users: readonly DoomedUser[]): Promise<readonly RevokeOutcome[]>;
  /** The names of all users, superusers and the server's own left out. A plugin without it cannot be reconciled. */
  listUsers?(): Promise<readonly string[]>;
  /**
   * Tries what a user's life needs in a transaction that is rolled back, so that nothing is left however it ends.
   * @param probe - Its creation statements may be empty: then for a plain user.
   * @returns What the server refused; empty: all is well. @throws DatabaseError when the server could not be asked.
   */
  preflight?(probe: NewUser): Promise<readonly Problem[]>;
  /** For servers that take nothing back: how a user's life is tried on a user that is made and dropped. */
  trial?(): Promise<Trial>;
  close(): Promise<void>;
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** How a client connects as a user. */
export interface ClientConnection {
  readonly url: string;
  /** The variables that the database's own clients read. */
  readonly environment: Readonly<Record<string, string>>;
  /** How the connection is protected, as the database's own clients call it. Absent: the connection says nothing of it. */
  readonly tlsMode?: string;
  /** PEM: who vouches for the server, where the connection has that as text and not as the path of a file. */
  readonly authorities?: string;
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
  /** The kinds of credential that its users can have; passwords only unless told. */
  readonly credentialTypes?: readonly Exclude<CredentialType, "client_certificate">[];
  /** The longest user name the server takes, in bytes. */
  readonly usernameBytesMax: number;
  /** Which names were built by {@link DatabasePluginType.defaultUsername}, for finding users that were left behind. */
  readonly usernameMark?: RegExp;
  /** {@link DoomedUser.sessionGraceMs} is heeded; without it sessions end at once. */
  readonly givesGrace?: boolean;
  /** What whoever writes these creation statements should know; a sentence each. */
  reviewCreation?(statements: readonly string[]): readonly string[];
  /** @param details - Connection details. @throws ApiError 400 naming the parameter that is wrong. */
  clientConnection?(details: JsonObject, login: Login): ClientConnection | Promise<ClientConnection>;
  /** Builds the default user name, before it is cut to the limit. */
  defaultUsername(displayName: string, roleName: string, random: Random, nowMs: number): string;
  /**
   * Checks the connection details and makes an unconnected plugin.
   * @param details - Connection details with the password in place: `connection_url`, `username`, `password` and the rest.
   * @throws ApiError 400 naming the parameter that is wrong.
   */
  open(details: JsonObject, context: PluginContext): DatabasePlugin;
}
