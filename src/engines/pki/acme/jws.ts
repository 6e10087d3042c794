import { calculateJwkThumbprint, flattenedVerify, importJWK, type JWK } from "jose";
import { isJsonObject, type JsonObject, parseJson } from "../../../base/json.ts";
import { AcmeProblem } from "./problem.ts";

/** A signed request as it comes: each part base64url (RFC 8555 section 6.2). */
export interface Jws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

/** The protected header's parts that ACME knows. */
export interface JwsHeader {
  readonly alg: string;
  readonly nonce: string;
  readonly url: string;
  /** The account's URL, or null with `jwk`. */
  readonly kid: string | null;
  readonly jwk: JsonObject | null;
}

/** Signatures with a public key; never a MAC, whose key would be one that anybody knows. */
const ALGORITHMS = ["ES256", "ES384", "ES512", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const MAC_ALGORITHMS = ["HS256", "HS384", "HS512"];

/**
 * Reads the protected header. Nothing in it is verified yet.
 * @throws AcmeProblem malformed, badSignatureAlgorithm.
 */
export function readHeader(jws: Jws, algorithms: readonly string[] = ALGORITHMS): JwsHeader {
  const { alg, nonce, url, kid, jwk } = decodeObject(jws.protected, "protected header");
  if (typeof alg !== "string" || !algorithms.includes(alg)) {
    throw new AcmeProblem(
      "badSignatureAlgorithm",
      `the signature's algorithm must be one of ${algorithms.join(", ")}`,
    );
  }
  const hasKid = typeof kid === "string";
  if (hasKid === isJsonObject(jwk)) {
    throw new AcmeProblem("malformed", "the protected header must have either a jwk or a kid");
  }
  return {
    alg,
    nonce: typeof nonce === "string" ? nonce : "",
    url: typeof url === "string" ? url : "",
    kid: hasKid ? kid : null,
    jwk: isJsonObject(jwk) ? jwk : null,
  };
}

/** A part that is a JSON object in base64url. @throws AcmeProblem malformed. */
function decodeObject(part: string, what: string): JsonObject {
  if (!/^[A-Za-z0-9_-]*$/.test(part)) throw new AcmeProblem("malformed", `the ${what} is not base64url`);
  try {
    const value = parseJson(Buffer.from(part, "base64url").toString("utf8"));
    if (isJsonObject(value)) return value;
  } catch (error) {
    throw new AcmeProblem("malformed", `the ${what} is not JSON`, { cause: error });
  }
  throw new AcmeProblem("malformed", `the ${what} is not an object`);
}

/**
 * The payload of a request, once verified. Null: it is empty, which makes the request a read (section 6.3).
 * @throws AcmeProblem malformed.
 */
export function readPayload({ payload }: Jws): JsonObject | null {
  return payload === "" ? null : decodeObject(payload, "payload");
}

/** @throws AcmeProblem unauthorized for a signature that is not the key's; badPublicKey for what is no key of the algorithm's. */
export async function verifyJws(jws: Jws, { alg }: Pick<JwsHeader, "alg">, jwk: JsonObject): Promise<void> {
  const key = await publicKey(jwk, alg);
  try {
    await flattenedVerify({ ...jws }, key, { algorithms: [alg] });
  } catch (error) {
    throw new AcmeProblem("unauthorized", "the signature is not good", { cause: error });
  }
}

async function publicKey(jwk: JsonObject, alg: string): Promise<Awaited<ReturnType<typeof importJWK>>> {
  // A symmetric key would be no secret, and a private one is nothing to keep.
  if (jwk.kty === "oct" || jwk.d !== undefined)
    throw new AcmeProblem("badPublicKey", "the jwk is no public key");
  try {
    return await importJWK(jwk as JWK, alg);
  } catch (error) {
    throw new AcmeProblem("badPublicKey", "the jwk is not a key of the signature's algorithm", {
      cause: error,
    });
  }
}

/** RFC 7638, SHA-256, base64url. @throws AcmeProblem badPublicKey. */
export async function thumbprintOf(jwk: JsonObject): Promise<string> {
  try {
    return await calculateJwkThumbprint(jwk as JWK, "sha256");
  } catch (error) {
    throw new AcmeProblem("badPublicKey", "the jwk is not a key", { cause: error });
  }
}

/**
 * Verifies an external account binding (section 7.3.4): a MAC, by the key that the caller finds by its id.
 * @returns The key id and the key that was bound. @throws AcmeProblem.
 */
export async function verifyBinding(
  jws: Jws,
  url: string,
  keyOf: (id: string) => Promise<Uint8Array>,
): Promise<{ readonly id: string; readonly jwk: JsonObject }> {
  const header = readHeader(jws, MAC_ALGORITHMS);
  if (header.kid === null || header.nonce !== "" || header.url !== url) {
    throw new AcmeProblem(
      "malformed",
      "the external account binding must have a kid, no nonce, and the request's url",
    );
  }
  const key = await keyOf(header.kid);
  try {
    await flattenedVerify({ ...jws }, key, { algorithms: MAC_ALGORITHMS });
  } catch (error) {
    throw new AcmeProblem("unauthorized", "the external account binding is not signed with its key", {
      cause: error,
    });
  }
  const jwk = readPayload(jws);
  if (jwk === null) throw new AcmeProblem("malformed", "the external account binding binds no key");
  return { id: header.kid, jwk };
}

/** A JWS that a payload holds. @throws AcmeProblem malformed. */
export function nestedJws(value: unknown, what: string): Jws {
  if (isJsonObject(value)) {
    const { protected: head, payload, signature } = value;
    if (typeof head === "string" && typeof payload === "string" && typeof signature === "string") {
      return { protected: head, payload, signature };
    }
  }
  throw new AcmeProblem("malformed", `${what} is not a signed object`);
}
