import { messageOf } from "../../../../base/errors.ts";
import { DatabaseError } from "../../plugin.ts";

const AUTH = new Set(["WRONGPASS", "NOAUTH"]);
/** The server is there, and not ready to serve. */
const AWAY = new Set(["LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY", "TRYAGAIN"]);

/** Sorts what the driver threw. Redis begins an error with a word in capitals that tells its kind. */
export function failureOf(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const message = messageOf(error) || "the connection was lost";
  const word = isReply(error) ? /^[A-Z]+/.exec(message)?.[0] : undefined;
  if (word === undefined) return new DatabaseError("unreachable", message);
  if (AUTH.has(word)) return new DatabaseError("auth", message, { serverCode: word });
  return new DatabaseError(AWAY.has(word) ? "unreachable" : "statement", message, { serverCode: word });
}

/** The driver's own failures are of other classes; its module is loaded only with a connection, so the name has to do. */
function isReply(error: unknown): boolean {
  return error instanceof Error && /^[A-Z]+ /.test(error.message) && !("code" in error);
}
