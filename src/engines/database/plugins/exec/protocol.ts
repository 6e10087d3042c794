/** The JSON protocol between vsec and a program, version 1. Its description for authors of programs: docs/exec-plugin.md. */

import { isJsonObject, type Json, type JsonObject, parseJson } from "../../../../base/json.ts";
import { DatabaseError } from "../../plugin.ts";
import type { Ended } from "./program.ts";

export const PROTOCOL_VERSION = 1;

export type Operation = "verify" | "create" | "renew" | "revoke" | "rotate" | "list";

/** What an error of a program's answer may be: how it maps to the failures that callers tell apart. */
const KINDS: Readonly<Record<string, DatabaseError["kind"]>> = {
  refused: "statement",
  unsupported: "statement",
  auth: "auth",
  unreachable: "unreachable",
  ambiguous: "ambiguous",
};

const TEXT_LENGTH_MAX = 1_000;

/** The code of an answer that says that the program has no such operation. */
export const UNSUPPORTED = "unsupported";

/**
 * The answer of a program that has ended.
 * @throws DatabaseError of the kind that the answer names; `ambiguous` when there is no answer to be trusted.
 */
export function readAnswer(ended: Ended): JsonObject {
  const { code, signal } = ended;
  if (code !== 0) {
    const end = signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
    throw new DatabaseError("ambiguous", ended.complaint === "" ? end : `${end}: ${plain(ended.complaint)}`);
  }
  const answer = parseAnswer(ended.output);
  if (answer.ok === true) return answer;
  const error = isJsonObject(answer.error) ? answer.error : {};
  if (answer.ok !== false || typeof error.message !== "string") {
    throw new DatabaseError("ambiguous", 'its answer has neither "ok": true nor an error with a message');
  }
  const name = typeof error.kind === "string" ? error.kind : "";
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  const serverCode = name === UNSUPPORTED ? UNSUPPORTED : codeOf(error.code);
  throw new DatabaseError(kind ?? "ambiguous", plain(error.message), { serverCode });
}

function parseAnswer(output: string): JsonObject {
  let answer: Json;
  try {
    answer = parseJson(output);
  } catch {
    throw new DatabaseError("ambiguous", "its answer is not JSON");
  }
  if (isJsonObject(answer)) return answer;
  throw new DatabaseError("ambiguous", "its answer is not a JSON object");
}

/**
 * Reads what became of each user of a revocation.
 * @returns Null for a user that the program has seen to be gone, else why it is not. A user that it does not mention is not.
 */
export function readRevoked(answer: JsonObject, usernames: readonly string[]): readonly (string | null)[] {
  const users = Array.isArray(answer.users) ? (answer.users as readonly Json[]) : [];
  const byName = new Map<string, JsonObject>();
  for (const user of users) {
    if (isJsonObject(user) && typeof user.username === "string") byName.set(user.username, user);
  }
  return usernames.map((username) => {
    const user = byName.get(username);
    if (user === undefined) return "the program did not say whether the user is gone";
    if (user.gone === true) return null;
    return typeof user.error === "string" ? plain(user.error) : "the program says that the user is not gone";
  });
}

/**
 * Reads the names of the users of a `list`.
 * @throws DatabaseError `ambiguous` when they are not a list of names: whoever is left out would be taken to be gone.
 */
export function readUsers(answer: JsonObject): readonly string[] {
  const users = Array.isArray(answer.users) ? (answer.users as readonly Json[]) : [null];
  return users.map((user) => {
    const name = isJsonObject(user) ? user.username : null;
    if (typeof name === "string") return name;
    throw new DatabaseError("ambiguous", "its answer has no list of users with a username each");
  });
}

function codeOf(value: Json | undefined): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value).slice(0, 64) : undefined;
}

/** One line without control characters, so that a program cannot write into the terminal of whoever reads it. */
function plain(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .trim()
    .slice(0, TEXT_LENGTH_MAX);
}
