/** The statements of MongoDB roles, which are JSON. @see reference: engines.md section 1.9.6. */

import { badRequest, messageOf } from "../../../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject, parseInput } from "../../../../base/json.ts";

const DATABASE_DEFAULT = "admin";

/** What a user is made with: the database that it belongs to, and its roles as `createUser` takes them. */
export interface Creation {
  readonly database: string;
  readonly roles: readonly Json[];
}

/** Reads the first creation statement. @throws ApiError 400 with Vault's texts. */
export function creationOf(creationStatements: readonly string[]): Creation {
  const text = creationStatements[0]?.trim() ?? "";
  if (text === "") throw badRequest("empty creation statements");
  const statement = parse(text, "creation");
  const roles = Array.isArray(statement.roles) ? (statement.roles as readonly Json[]) : [];
  if (roles.length === 0) throw badRequest("roles array is required in creation statement");
  return { database: databaseOf(statement), roles: roles.map(roleOf) };
}

/** The database that revocation names; undefined: it does not name one. @throws ApiError 400 for more than one statement. */
export function revocationDatabaseOf(revocationStatements: readonly string[]): string | undefined {
  const statements = revocationStatements.filter((statement) => statement.trim() !== "");
  if (statements.length > 1)
    throw badRequest(`expected 0 or 1 revocation statements, got ${statements.length}`);
  const [text] = statements;
  return text === undefined ? undefined : databaseOf(parse(text, "revocation"));
}

function parse(text: string, kind: string): JsonObject {
  let statement: Json;
  try {
    statement = parseInput(text);
  } catch (error) {
    throw badRequest(`error unmarshalling the ${kind} statement: ${messageOf(error)}`, error);
  }
  if (!isJsonObject(statement)) throw badRequest(`the ${kind} statement is not a JSON object`);
  return statement;
}

function databaseOf(statement: JsonObject): string {
  return typeof statement.db === "string" && statement.db !== "" ? statement.db : DATABASE_DEFAULT;
}

/** A role without a database is one of the user's own database, which is written as its name alone. */
function roleOf(role: Json): Json {
  if (typeof role === "string") return role;
  if (!isJsonObject(role) || typeof role.role !== "string" || role.role === "") {
    throw badRequest("each entry of roles needs a role");
  }
  return typeof role.db === "string" && role.db !== "" ? { role: role.role, db: role.db } : role.role;
}
