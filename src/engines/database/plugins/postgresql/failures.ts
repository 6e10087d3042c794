import { ConnectionLost, type Redactor, StatementRefused } from "../../failures.ts";
import { DatabaseError } from "../../plugin.ts";

/** What the driver says of a failure of the server; all absent when the failure is on the way there. */
interface ServerFailure {
  readonly code?: string;
  readonly detail?: string;
  readonly severity?: string;
  readonly message?: string;
}

const DETAIL_LENGTH_MAX = 400;

/** Connection exceptions, and a server that is shutting down, crashing or starting (but not 57014, a cancelled query). */
const LOST = /^(?:08|57P0|58)/;

/** Sorts what the driver threw while a connection was in use. */
export function classify(error: unknown): ConnectionLost | StatementRefused {
  if (error instanceof ConnectionLost || error instanceof StatementRefused) return error;
  const failure = (error ?? {}) as ServerFailure;
  const message = failure.message ?? String(error);
  const { code } = failure;
  const isServers = failure.severity !== undefined && code !== undefined && /^[0-9A-Z]{5}$/.test(code);
  if (!isServers || LOST.test(code)) return new ConnectionLost(message, isServers ? code : undefined);
  return new StatementRefused(message, code, failure.detail);
}

/** Sorts what the driver threw while connecting. */
export function connectFailure(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const failure = (error ?? {}) as ServerFailure;
  const message = failure.message ?? String(error);
  const serverCode = failure.severity === undefined ? undefined : failure.code;
  // The driver's own checks of a SCRAM exchange start with this word: a missing password, a server that does not know it.
  const isAuth =
    serverCode?.startsWith("28") === true || serverCode === "42501" || message.startsWith("SASL");
  const suffix = serverCode === undefined ? "" : ` (SQLSTATE ${serverCode})`;
  return new DatabaseError(isAuth ? "auth" : "unreachable", `${message}${suffix}`, { serverCode });
}

/** One line for a refused statement: `permission denied … (SQLSTATE 42501)`. */
export function refusalText(refusal: StatementRefused, redactor: Redactor): string {
  const detail = refusal.detail?.replaceAll("\n", "; ").slice(0, DETAIL_LENGTH_MAX);
  const text = detail === undefined ? refusal.message : `${refusal.message}: ${detail}`;
  return `${redactor.text(text, refusal.serverCode === "42601")} (SQLSTATE ${refusal.serverCode})`;
}

/**
 * The failure as the plugin's callers know it.
 * @param what - What was tried: `statement 2 of 3`, `dropping role "x"`.
 */
export function asDatabaseError(error: unknown, what: string, redactor: Redactor): DatabaseError {
  if (error instanceof DatabaseError) {
    const text = redactor.text(error.message);
    return text === error.message ? error : error.inWords(text);
  }
  const sorted = classify(error);
  const { serverCode } = sorted;
  if (sorted instanceof StatementRefused) {
    return new DatabaseError("statement", `${what} failed: ${refusalText(sorted, redactor)}`, { serverCode });
  }
  return new DatabaseError("unreachable", `${what} failed: ${redactor.text(sorted.message)}`, { serverCode });
}

/** The TLS handshake failed; `prefer` then goes on without TLS. */
export class HandshakeFailed extends DatabaseError {
  constructor(message: string) {
    super("unreachable", message);
    this.name = "HandshakeFailed";
  }
}
