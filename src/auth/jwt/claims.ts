import { badRequest } from "../../base/errors.ts";
import { matchesGlob } from "../../base/glob.ts";
import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import type { Role } from "./role.ts";

/**
 * A claim by its name, or, when that begins with a slash, by its JSON pointer (RFC 6901).
 * @returns Undefined when the token has none.
 */
export function claimAt(claims: JsonObject, name: string): Json | undefined {
  if (!name.startsWith("/")) return ownValue(claims, name);
  let value: Json | undefined = claims;
  for (const part of name.slice(1).split("/")) {
    value = stepInto(value, part.replaceAll("~1", "/").replaceAll("~0", "~"));
    if (value === undefined) return undefined;
  }
  return value;
}

function stepInto(value: Json, key: string): Json | undefined {
  if (Array.isArray(value))
    return /^(?:0|[1-9]\d*)$/.test(key) ? (value as readonly Json[])[Number(key)] : undefined;
  return isJsonObject(value) ? ownValue(value, key) : undefined;
}

/** A claim called `constructor` is the token's or nobody's. */
export function ownValue(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** @throws ApiError 400 for the first of them, in Vault's order, that does not hold. */
export function checkRegisteredClaims(
  claims: JsonObject,
  role: Role,
  boundIssuer: string,
  now: number,
): void {
  if (boundIssuer !== "" && claims.iss !== boundIssuer) throw invalid("invalid issuer (iss) claim");
  if (role.boundSubject !== "" && claims.sub !== role.boundSubject) {
    throw invalid("invalid subject (sub) claim");
  }
  const audiences = listOf(ownValue(claims, "aud"));
  if (role.boundAudiences.length > 0) {
    if (!audiences.some((audience) => role.boundAudiences.some((bound) => bound === audience))) {
      throw invalid("invalid audience (aud) claim: audience claim does not match any expected audience");
    }
  }
  checkTimes(claims, role, now);
  if (audiences.length > 0 && role.boundAudiences.length === 0) {
    throw badRequest("audience claim found in JWT but no audiences bound to the role");
  }
}

function invalid(text: string): Error {
  return badRequest(`error validating token: ${text}`);
}

function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null || value === "") return [];
  return Array.isArray(value) ? value : [value];
}

/** @param now - Milliseconds since the epoch. @see reference: JWT, leeways. */
function checkTimes(claims: JsonObject, role: Role, now: number): void {
  const [iat, nbf, exp] = [
    numericDate(claims, "iat"),
    numericDate(claims, "nbf"),
    numericDate(claims, "exp"),
  ];
  if (iat === 0 && nbf === 0 && exp === 0) {
    throw invalid("no issued at (iat), not before (nbf), or expiration time (exp) claims in token");
  }
  const end = exp || Math.max(iat, nbf) + leeway(role.expirationLeewaySeconds, 150);
  const start = nbf || iat || end - leeway(role.notBeforeLeewaySeconds, 150);
  const skew = leeway(role.clockSkewLeewaySeconds, 60);
  const seconds = now / 1000;
  if (seconds + skew < start) throw invalid("invalid not before (nbf) claim: token not yet valid");
  if (seconds - skew > end) throw invalid("invalid expiration time (exp) claim: token is expired");
  if (seconds + skew < iat) throw invalid("invalid issued at (iat) claim: token issued in the future");
}

function leeway(seconds: number, usual: number): number {
  return seconds < 0 ? 0 : seconds || usual;
}

/** RFC 7519 section 2: seconds since the epoch, perhaps with a fraction. 0: the token has none. */
function numericDate(claims: JsonObject, name: string): number {
  const value = ownValue(claims, name);
  if (value === undefined || value === null) return 0;
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw invalid(`claim "${name}" is not a numeric date`);
}

/** @throws ApiError 400 for a claim that is missing or has none of its bound values. */
export function checkBoundClaims(claims: JsonObject, { boundClaims, boundClaimsType }: Role): void {
  for (const [name, bound] of Object.entries(boundClaims)) {
    const value = claimAt(claims, name);
    if (value === undefined) {
      throw badRequest(`error validating claims: claim ${JSON.stringify(name)} is missing`);
    }
    const isBound = (item: Json): boolean =>
      asList(bound).some((expected) =>
        boundClaimsType === "glob"
          ? typeof expected === "string" && typeof item === "string" && matchesGlob(expected, item)
          : expected === item,
      );
    if (!asList(value).some(isBound)) {
      throw badRequest(
        `error validating claims: claim ${JSON.stringify(name)} does not match any associated bound claim values`,
      );
    }
  }
}

function asList(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [value];
}

const NAME_BYTES_MAX = 1024;
const GROUPS_MAX = 1000;

/** Who it is. @throws ApiError 400 */
export function userOf(claims: JsonObject, { userClaim, userClaimJsonPointer }: Role): string {
  const value = userClaimJsonPointer ? claimAt(claims, userClaim) : ownValue(claims, userClaim);
  if (value === undefined) throw badRequest(`claim ${JSON.stringify(userClaim)} not found in token`);
  if (typeof value !== "string" || value === "" || Buffer.byteLength(value) > NAME_BYTES_MAX) {
    throw badRequest(`claim ${JSON.stringify(userClaim)} could not be converted to string`);
  }
  return value;
}

/** @throws ApiError 400 */
export function groupsOf(claims: JsonObject, { groupsClaim }: Role): readonly string[] {
  if (groupsClaim === "") return [];
  const value = claimAt(claims, groupsClaim);
  if (value === undefined) throw badRequest(`${JSON.stringify(groupsClaim)} claim not found in token`);
  const groups = asList(value);
  if (groups.length > GROUPS_MAX || !groups.every((group) => typeof group === "string")) {
    throw badRequest(`${JSON.stringify(groupsClaim)} claim could not be converted to string list`);
  }
  return groups as readonly string[];
}

const METADATA_BYTES_MAX = 4096;

/** The claims that the role copies to metadata; those that the token does not have are left out. @throws ApiError 400 */
export function metadataOf(claims: JsonObject, { claimMappings }: Role): Record<string, string> {
  const pairs = Object.entries(claimMappings).flatMap(([name, target]) => {
    const value = claimAt(claims, name);
    if (value === undefined || value === null) return [];
    const text = typeof value === "string" ? value : JSON.stringify(value);
    if (Buffer.byteLength(text) > METADATA_BYTES_MAX) {
      throw badRequest(`claim ${JSON.stringify(name)} is too long for metadata`);
    }
    return [[target, text] as const];
  });
  return Object.fromEntries(pairs.filter(([target]) => target !== "__proto__"));
}
