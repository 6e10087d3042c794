import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import { localFailure } from "../failure.ts";
import { plainValue, quotedList } from "./plain-values.ts";

/** A field's value, and how tables show it. */
interface FieldValue {
  readonly data: Json;
  readonly text: string;
}

const AUTH_FIELDS: Readonly<Record<string, string>> = {
  token: "client_token",
  token_accessor: "accessor",
  token_duration: "lease_duration",
  token_renewable: "renewable",
  token_policies: "token_policies",
  identity_policies: "identity_policies",
  policies: "policies",
};

/** The names that a wrapping token's properties have in tables and for `-field`. */
export const WRAP_FIELDS: Readonly<Record<string, string>> = {
  wrapping_token: "token",
  wrapping_accessor: "accessor",
  wrapping_token_ttl: "ttl",
  wrapping_token_creation_time: "creation_time",
  wrapping_token_creation_path: "creation_path",
  wrapped_accessor: "wrapped_accessor",
};

const PLAIN_FIELDS: Readonly<Record<string, string>> = {
  lease_id: "lease_id",
  lease_duration: "lease_duration",
  renewable: "renewable",
  request_id: "request_id",
  refresh_interval: "lease_duration",
};

/**
 * One field of an enveloped answer, by the names that `-field` takes.
 * @throws CommandFailure (exit 1) when it is missing or null.
 */
export function fieldOf(body: JsonObject, name: string): FieldValue {
  const value = fieldValue(body, name);
  if (value === undefined || value === null) throw localFailure(`Field "${name}" not present in secret`);
  const quoted = isJsonObject(body.auth) && name.endsWith("policies") && Array.isArray(value);
  return { data: value, text: quoted ? quotedList(value) : plainValue(value) };
}

function fieldValue(body: JsonObject, name: string): Json | undefined {
  const special = specialValue(body, name);
  if (special !== undefined) return special;
  const data = isJsonObject(body.data) ? body.data : {};
  if (name === "data" && !Object.hasOwn(data, "data")) return body.data;
  return Object.hasOwn(data, name) ? data[name] : undefined;
}

function specialValue(body: JsonObject, name: string): Json | undefined {
  const pick = (names: Readonly<Record<string, string>>, from: JsonObject): Json | undefined =>
    Object.hasOwn(names, name) ? from[names[name] ?? ""] : undefined;
  if (isJsonObject(body.auth)) return pick(AUTH_FIELDS, body.auth);
  if (isJsonObject(body.wrap_info)) return pick(WRAP_FIELDS, body.wrap_info);
  const value = pick(PLAIN_FIELDS, body);
  return value === "" ? undefined : value;
}
