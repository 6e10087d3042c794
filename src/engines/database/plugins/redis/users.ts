import { createHash } from "node:crypto";
import { badRequest, messageOf } from "../../../../base/errors.ts";
import { type Json, parseInput } from "../../../../base/json.ts";
import type { RevokeOutcome } from "../../../../framework/secret.ts";
import { DatabaseError } from "../../plugin.ts";
import type { RedisConnection } from "./connection.ts";
import type { PersistenceMode } from "./settings.ts";

const DEFAULT_RULES = ["~*", "+@read"];

/**
 * The rules of a role: the first creation statement, a JSON list of ACL rules.
 * @throws ApiError 400 with Vault's text.
 */
export function rulesOf(creationStatements: readonly string[]): readonly string[] {
  const text = creationStatements[0]?.trim() ?? "";
  if (text === "") return DEFAULT_RULES;
  const refuse = (reason: string) =>
    badRequest(`error unmarshalling REDIS rules in the creation statement JSON: ${reason}`);
  let rules: Json;
  try {
    rules = parseInput(text);
  } catch (error) {
    throw refuse(messageOf(error));
  }
  if (!Array.isArray(rules) || !rules.every((rule) => typeof rule === "string")) {
    throw refuse("it is not a list of strings");
  }
  return rules as string[];
}

/** The rules of a role as the plugin for Valkey takes them: each statement is a rule. */
export function plainRulesOf(creationStatements: readonly string[]): readonly string[] {
  const rules = creationStatements
    .flatMap((statement) => statement.split(/\s+/))
    .filter((rule) => rule !== "");
  return rules.length === 0 ? DEFAULT_RULES : rules;
}

/** The rule that lets a user log in with this password, without the server, its log or a MONITOR ever seeing it. */
export function passwordRule(password: string): string {
  return `#${createHash("sha256").update(password).digest("hex")}`;
}

/** Null: there is no such user. */
async function readUser(connection: RedisConnection, username: string): Promise<unknown> {
  return connection.send("ACL", "GETUSER", username);
}

/** Makes a user, all of it or nothing: the server applies the rules of one command together. */
export async function createUser(
  connection: RedisConnection,
  username: string,
  password: string,
  rules: readonly string[],
): Promise<void> {
  await connection.send("ACL", "SETUSER", username, "reset", "on", passwordRule(password), ...rules);
}

/** @throws DatabaseError `statement` when there is no such user, which the command by itself would make. */
export async function changePassword(
  connection: RedisConnection,
  username: string,
  password: string,
): Promise<void> {
  if ((await readUser(connection, username)) === null) {
    throw new DatabaseError("statement", `user "${username}" was not found`);
  }
  await connection.send("ACL", "SETUSER", username, "resetpass", passwordRule(password));
}

/**
 * Makes a user gone: no login any more, sessions ended, the user deleted and its absence seen.
 * @returns Why it is not; null when it is.
 */
export async function deleteUser(connection: RedisConnection, username: string): Promise<RevokeOutcome> {
  try {
    if ((await readUser(connection, username)) === null) return null;
    await connection.send("ACL", "SETUSER", username, "off");
    await endSessions(connection, username);
    await connection.send("ACL", "DELUSER", username);
    if ((await readUser(connection, username)) === null) return null;
    return new DatabaseError("statement", `user "${username}" is still there after it was deleted`);
  } catch (error) {
    if (error instanceof DatabaseError && error.kind !== "statement") throw error;
    return error instanceof Error ? error : new DatabaseError("statement", messageOf(error));
  }
}

/** Deleting a user ends its sessions too, so an administrator that may not do it here is no failure. */
async function endSessions(connection: RedisConnection, username: string): Promise<void> {
  try {
    await connection.send("CLIENT", "KILL", "USER", username);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.kind !== "statement") throw error;
  }
}

/** Makes the users as they are now outlast a restart: a user that was revoked must not come back with it. */
export async function persist(connection: RedisConnection, mode: PersistenceMode): Promise<void> {
  if (mode === "rewrite") await connection.send("CONFIG", "REWRITE");
  if (mode === "aclfile") await connection.send("ACL", "SAVE");
}
