import { badRequest, messageOf } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../base/json.ts";
import type { Config } from "./config.ts";
import type { KeyCache } from "./key-source.ts";
import { ALGORITHMS, type Algorithm, isAlgorithm, type VerificationKey } from "./keys.ts";

/**
 * Verifies a token's signature and gives its claims, of which nothing has been believed yet.
 *
 * What the token says of itself chooses among keys and algorithms, and never adds to them: `none`, the HMACs (which would
 * make a public key a secret) and a key that does not fit the algorithm do not get as far as a verification.
 * @throws ApiError 400 with Vault's texts.
 */
export async function verifiedClaims(token: string, config: Config, cache: KeyCache): Promise<JsonObject> {
  const header = await headerOf(token);
  if (!isAlgorithm(header.alg)) throw badSignature("the token is not signed with an asymmetric algorithm");
  const wanted: Wanted = { algorithm: header.alg, kid: typeof header.kid === "string" ? header.kid : null };
  const payload = await verify(token, wanted, config, cache);
  const supported: readonly Algorithm[] = config.supportedAlgs.length > 0 ? config.supportedAlgs : ALGORITHMS;
  if (!supported.includes(wanted.algorithm)) {
    throw badRequest(
      "error validating token: invalid algorithm (alg) header parameter: token signed with unexpected algorithm",
    );
  }
  return claimsOf(payload);
}

interface Wanted {
  readonly algorithm: Algorithm;
  readonly kid: string | null;
}

function badSignature(reason: string, cause?: unknown): Error {
  return badRequest(`error validating token: error verifying token signature: ${reason}`, cause);
}

async function headerOf(token: string): Promise<{ readonly alg?: unknown; readonly kid?: unknown }> {
  const { decodeProtectedHeader } = await import("jose");
  try {
    return decodeProtectedHeader(token);
  } catch (error) {
    throw badSignature("the token is malformed", error);
  }
}

async function verify(token: string, wanted: Wanted, config: Config, cache: KeyCache): Promise<Uint8Array> {
  let payload: Uint8Array | null;
  try {
    payload = await tryKeys(token, wanted, await cache.keys(config.source));
    if (payload === null) {
      const newer = await cache.newerKeys(config.source);
      payload = newer === null ? null : await tryKeys(token, wanted, newer);
    }
  } catch (error) {
    throw badSignature(messageOf(error), error);
  }
  if (payload === null) throw badSignature("no known key successfully validated the token signature");
  return payload;
}

/** Null: none of them verifies the token. */
async function tryKeys(
  token: string,
  { algorithm, kid }: Wanted,
  keys: readonly VerificationKey[],
): Promise<Uint8Array | null> {
  const { compactVerify, errors } = await import("jose");
  for (const key of keys) {
    const isMeant = key.kid === null || kid === null || key.kid === kid;
    if (!isMeant || !key.algorithms.includes(algorithm)) continue;
    try {
      return (await compactVerify(token, key.jwk, { algorithms: [algorithm] })).payload;
    } catch (error) {
      // Not this key's, or malformed for every key. What is not jose's word is a fault of ours.
      if (!(error instanceof errors.JOSEError)) throw error;
    }
  }
  return null;
}

function claimsOf(payload: Uint8Array): JsonObject {
  let claims: unknown;
  try {
    claims = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch (error) {
    throw badRequest("error validating token: its claims are not JSON", error);
  }
  if (!isJsonObject(claims)) throw badRequest("error validating token: its claims are not a JSON object");
  return claims;
}
