import { badRequest } from "../../base/errors.ts";
import { isJsonObject, type Json, parseJson } from "../../base/json.ts";
import type { Policy } from "./x509/extensions.ts";
import { EXT_KEY_USAGES, isOid, KEY_USAGE_BITS } from "./x509/oids.ts";

/** The bits of key usages by their names; unknown ones are refused. @throws ApiError 400 */
export function keyUsageBits(names: readonly string[]): readonly number[] {
  return names
    .filter((name) => name !== "")
    .map((name) => {
      const bit = KEY_USAGE_BITS.get(plain(name, "keyusage"));
      if (bit === undefined) throw badRequest(`unknown key usage: ${name}`);
      return bit;
    });
}

/** The object identifiers of extended key usages, by their names. @throws ApiError 400 */
export function extKeyUsageOids(names: readonly string[]): readonly string[] {
  return names
    .filter((name) => name !== "")
    .map((name) => {
      const type = EXT_KEY_USAGES.get(plain(name, "extkeyusage"));
      if (type === undefined) throw badRequest(`unknown extended key usage: ${name}`);
      return type;
    });
}

/** Go's constants begin with their type, which people may write or leave out. */
function plain(name: string, prefix: string): string {
  const lower = name.trim().toLowerCase();
  return lower.startsWith(prefix) ? lower.slice(prefix.length) : lower;
}

/** @throws ApiError 400 naming the first that is none. */
export function checkExtKeyUsageOids(oids: readonly string[]): void {
  const wrong = oids.find((text) => !isOid(text));
  if (wrong === undefined) return;
  throw badRequest(`"${wrong}" could not be parsed as a valid oid for an extended key usage`);
}

/**
 * Reads policies: object identifiers, also several in one text with commas between; objects; or either as JSON text.
 * @throws ApiError 400
 */
export function readPolicies(values: readonly Json[]): readonly Policy[] {
  return values.flatMap(spread).map((entry) => {
    const policy = typeof entry === "string" ? { oid: entry.trim() } : policyOf(entry);
    if (isOid(policy.oid)) return policy;
    throw badRequest(`"${policy.oid}" could not be parsed as a valid oid for a policy identifier`);
  });
}

function spread(value: Json): readonly Json[] {
  if (typeof value !== "string") return [value];
  const text = value.trim();
  if (!/^[[{]/.test(text)) return text.split(",").filter((part) => part.trim() !== "");
  try {
    const parsed = parseJson(text);
    return Array.isArray(parsed) ? parsed : [parsed];
  } catch (error) {
    throw badRequest("policy_identifiers is neither a list of object identifiers nor JSON", error);
  }
}

function policyOf(entry: Json): Policy {
  const { oid = "", notice = "", cps = "" } = isJsonObject(entry) ? entry : {};
  if (typeof oid !== "string" || typeof notice !== "string" || typeof cps !== "string") {
    throw badRequest("a policy of policy_identifiers has an oid, a notice and a cps, each a text");
  }
  if (!/^[\x20-\x7e]*$/.test(cps)) throw badRequest("the cps of a policy has to be a URL");
  return { oid, notice, cps };
}
