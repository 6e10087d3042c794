import { badRequest, messageOf } from "../../../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject, parseInput } from "../../../../base/json.ts";

/** What a user is to be: somebody with roles that are there, or with one of its own that is made for it. */
export type Creation = { readonly roles: readonly string[] } | { readonly definition: JsonObject };

/**
 * Reads the first creation statement.
 * @throws ApiError 400 with Vault's texts.
 * @see reference: engines.md section 1.9.6.
 */
export function creationOf(creationStatements: readonly string[]): Creation {
  const text = creationStatements[0]?.trim() ?? "";
  if (text === "") throw badRequest("empty creation statements");
  const statement = parse(text);
  const { elasticsearch_roles: roles, elasticsearch_role_definition: definition } = statement;
  const hasDefinition = isJsonObject(definition) && Object.keys(definition).length > 0;
  const hasRoles = Array.isArray(roles) && roles.length > 0;
  if (hasDefinition && hasRoles) {
    throw badRequest('"elasticsearch_roles" and "elasticsearch_role_definition" are mutually exclusive');
  }
  if (hasDefinition) return { definition };
  if (!hasRoles || !roles.every((role) => typeof role === "string")) {
    throw badRequest('one of "elasticsearch_roles" and "elasticsearch_role_definition" must be provided');
  }
  return { roles: roles as string[] };
}

function parse(text: string): JsonObject {
  let statement: Json;
  try {
    statement = parseInput(text);
  } catch (error) {
    throw badRequest(`unable to unmarshal the creation statement: ${messageOf(error)}`, error);
  }
  if (!isJsonObject(statement)) throw badRequest("the creation statement is not a JSON object");
  return statement;
}
