import { ExactNumber, isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import type { Format } from "../global-options.ts";
import { sortedDeep } from "./plain-values.ts";

const ESCAPED = /[<>&\u2028\u2029]/g;

/** JSON as Go writes it for people: indented by 2, with `<`, `>` and `&` escaped, and a newline at the end. */
export function jsonText(data: Json, compact = false): string {
  const text = JSON.stringify(data, null, compact ? undefined : 2);
  const escaped = text.replace(ESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `${escaped}\n`;
}

/** YAML with sorted keys; words that only older parsers take for something else are quoted. */
async function yamlText(data: Json): Promise<string> {
  const { stringify } = await import("yaml");
  const text = stringify(yamlNumbers(sortedDeep(data)), {
    indentSeq: false,
    lineWidth: 0,
    compat: "yaml-1.1",
  });
  return `${text.trim()}\n`;
}

/** YAML's writer knows long whole numbers as bigints; what else a double cannot hold is written as it comes closest. */
function yamlNumbers(value: Json): unknown {
  if (value instanceof ExactNumber) {
    return /^-?\d+$/.test(value.text) ? BigInt(value.text) : Number(value.text);
  }
  if (Array.isArray(value)) return (value as readonly Json[]).map(yamlNumbers);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, yamlNumbers(item)]));
}

/** Data in one of the formats for programs. */
export async function structuredText(data: Json, format: Format, compact = false): Promise<string> {
  return format === "yaml" ? yamlText(data) : jsonText(data, compact);
}

const AUTH_KEYS = [
  "client_token",
  "accessor",
  "policies",
  "token_policies",
  "identity_policies",
  "metadata",
  "orphan",
  "entity_id",
  "lease_duration",
  "renewable",
  "mfa_requirement",
] as const;

const WRAP_KEYS = ["token", "accessor", "ttl", "creation_time", "creation_path", "wrapped_accessor"] as const;

function pick(source: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.map((key) => [key, sortedDeep(source[key] ?? null)]));
}

/** An enveloped answer in the shape and key order in which Vault's command line prints it. */
export function secretShape(body: JsonObject): JsonObject {
  const warnings = Array.isArray(body.warnings) && body.warnings.length > 0 ? body.warnings : null;
  return {
    request_id: body.request_id ?? "",
    lease_id: body.lease_id ?? "",
    lease_duration: body.lease_duration ?? 0,
    renewable: body.renewable ?? false,
    data: sortedDeep(body.data ?? null),
    warnings,
    ...(isJsonObject(body.auth) ? { auth: pick(body.auth, AUTH_KEYS) } : {}),
    ...(isJsonObject(body.wrap_info)
      ? {
          wrap_info: {
            ...pick(body.wrap_info, WRAP_KEYS),
            wrapped_accessor: body.wrap_info.wrapped_accessor ?? "",
          },
        }
      : {}),
    ...(typeof body.mount_type === "string" && body.mount_type !== "" ? { mount_type: body.mount_type } : {}),
  };
}
