import { messageOf } from "../../../../base/errors.ts";
import { ConnectionLost, type Redactor, StatementRefused } from "../../failures.ts";
import { DatabaseError } from "../../plugin.ts";

/** What the driver says of a failure; `errno` and `sqlState` only of one that the server reported. */
interface DriverFailure {
  readonly code?: string;
  readonly errno?: number;
  readonly sqlState?: string;
  readonly sqlMessage?: string;
  readonly fatal?: boolean;
}

/** Numbers of the servers' own errors, where a decision rests on one. @see MySQL's and MariaDB's error references. */
export const SERVER_ERROR = {
  accessDenied: 1045,
  parse: 1064,
  emptyQuery: 1065,
  noSuchThread: 1094,
  killDenied: 1095,
  privilegeMissing: 1227,
  cannotUser: 1396,
} as const;

/** The login itself was refused: wrong password, locked, expired, no way to authenticate in common. */
const AUTH = new Set([1045, 1251, 1698, 1862, 3118, 3955, 4151]);

/** The server ends connections: shutdown, a kill, an idle one. */
const LOST = new Set([1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 3169, 4031]);

function isServers(failure: DriverFailure): boolean {
  return failure.sqlState !== undefined && typeof failure.errno === "number";
}

/** Sorts what the driver threw while a connection was in use. The statement that the driver adds is left out: it may hold a password. */
export function classify(error: unknown): ConnectionLost | StatementRefused {
  if (error instanceof ConnectionLost || error instanceof StatementRefused) return error;
  const failure = (error ?? {}) as DriverFailure;
  const message = failure.sqlMessage ?? messageOf(error);
  const number = isServers(failure) ? failure.errno : undefined;
  if (number === undefined || LOST.has(number)) {
    return new ConnectionLost(message, number === undefined ? undefined : String(number));
  }
  return new StatementRefused(message, String(number));
}

/** Sorts what the driver threw while connecting. */
export function connectFailure(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const failure = (error ?? {}) as DriverFailure;
  const message = failure.sqlMessage ?? messageOf(error);
  const number = isServers(failure) ? failure.errno : undefined;
  const isAuth =
    (number !== undefined && AUTH.has(number)) || failure.code?.startsWith("AUTH_SWITCH_PLUGIN") === true;
  const serverCode = number === undefined ? undefined : String(number);
  const suffix = serverCode === undefined ? "" : ` (error ${serverCode})`;
  return new DatabaseError(isAuth ? "auth" : "unreachable", `${message}${suffix}`, { serverCode });
}

/** Whether the server refused a statement with this number. */
export function isRefusal(error: unknown, number: number): boolean {
  return error instanceof StatementRefused && error.serverCode === String(number);
}

/** One line for a refused statement: `Access denied … (error 1227)`. */
export function refusalText(refusal: StatementRefused, redactor: Redactor): string {
  const isSyntaxError = refusal.serverCode === String(SERVER_ERROR.parse);
  // A syntax error quotes what comes after it, which may begin in the middle of a password.
  const quoted = isSyntaxError
    ? refusal.message.replace(/near '([\s\S]*)' at line/, (whole, near: string) =>
        redactor.overlaps(near) ? "near '[password]' at line" : whole,
      )
    : refusal.message;
  return `${redactor.text(quoted)} (error ${refusal.serverCode})`;
}

/**
 * The failure as the plugin's callers know it.
 * @param what - What was tried: `statement 2 of 3`, `dropping user "x"`.
 */
export function asDatabaseError(error: unknown, what: string, redactor: Redactor): DatabaseError {
  if (error instanceof DatabaseError) {
    return error.inWords(redactor.text(error.message));
  }
  const sorted = classify(error);
  const { serverCode } = sorted;
  if (sorted instanceof StatementRefused) {
    return new DatabaseError("statement", `${what} failed: ${refusalText(sorted, redactor)}`, { serverCode });
  }
  return new DatabaseError("unreachable", `${what} failed: ${redactor.text(sorted.message)}`, { serverCode });
}
