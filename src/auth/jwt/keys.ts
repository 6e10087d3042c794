import { createPublicKey, type KeyObject } from "node:crypto";
import type { JWK } from "jose";
import { VsecError } from "../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";

/** The algorithms of signatures that this method verifies: asymmetric ones, so that a public key is never a secret. */
export const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "ES256",
  "ES384",
  "ES512",
  "PS256",
  "PS384",
  "PS512",
  "EdDSA",
] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

export function isAlgorithm(text: unknown): text is Algorithm {
  return ALGORITHMS.some((algorithm) => algorithm === text);
}

/** A public key, and what its owner says it is for. */
export interface VerificationKey {
  /** Its public parts only. */
  readonly jwk: JWK;
  /** Null: the key has no name, and serves tokens whatever key they name. */
  readonly kid: string | null;
  readonly algorithms: readonly Algorithm[];
}

const RSA_BITS_MIN = 2048;
const KEYS_MAX = 100;
const PEM_CHARS_MAX = 65_536;

/** RFC 7518 section 3.1, RFC 8037 section 3.1: what a key of each type can sign with. */
function algorithmsOf(key: KeyObject): readonly Algorithm[] {
  switch (key.asymmetricKeyType) {
    case "rsa": {
      const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
      return bits < RSA_BITS_MIN ? [] : ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    }
    case "ec":
      return curveAlgorithms(key.asymmetricKeyDetails?.namedCurve);
    case "ed25519":
      return ["EdDSA"];
    default:
      return [];
  }
}

function curveAlgorithms(curve: string | undefined): readonly Algorithm[] {
  if (curve === "prime256v1" || curve === "P-256") return ["ES256"];
  if (curve === "secp384r1" || curve === "P-384") return ["ES384"];
  return curve === "secp521r1" || curve === "P-521" ? ["ES512"] : [];
}

/**
 * Reads a public key, or the one of a certificate, from PEM.
 * @throws BACKEND saying what is wrong with it.
 */
export function keyOfPem(pem: string): VerificationKey {
  const wrong = (reason: string, cause?: unknown): VsecError => new VsecError("BACKEND", reason, { cause });
  if (pem.length > PEM_CHARS_MAX) throw wrong("it is too long");
  if (pem.includes("PRIVATE KEY")) throw wrong("it is a private key, which belongs to the issuer alone");
  if (!pem.includes("-----BEGIN")) throw wrong("data does not contain any valid public keys");
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (error) {
    throw wrong("data does not contain any valid public keys", error);
  }
  const algorithms = algorithmsOf(key);
  if (algorithms.length === 0) throw wrong("it is of a type, or too small, to verify tokens with");
  return { jwk: key.export({ format: "jwk" }) as JWK, kid: null, algorithms };
}

/**
 * Reads a JSON Web Key Set (RFC 7517 section 5). Keys that are not for signatures, or of a kind that is not known here, are
 * left out, as the section says.
 * @throws BACKEND when it is no key set.
 */
export function keysOfSet(set: Json): readonly VerificationKey[] {
  if (!isJsonObject(set) || !Array.isArray(set.keys)) {
    throw new VsecError("BACKEND", "it is not a JSON Web Key Set");
  }
  if (set.keys.length > KEYS_MAX) throw new VsecError("BACKEND", `it has more than ${KEYS_MAX} keys`);
  return set.keys.flatMap((item: Json) => (isJsonObject(item) ? keyOfJwk(item) : []));
}

function keyOfJwk(item: JsonObject): VerificationKey[] {
  const isForSigning = item.use === undefined || item.use === "sig";
  const verifies =
    item.key_ops === undefined || (Array.isArray(item.key_ops) && item.key_ops.includes("verify"));
  if (!isForSigning || !verifies) return [];
  try {
    const key = createPublicKey({ key: item as Record<string, string>, format: "jwk" });
    const algorithms = algorithmsOf(key).filter((name) => item.alg === undefined || item.alg === name);
    if (algorithms.length === 0) return [];
    const kid = typeof item.kid === "string" ? item.kid : "";
    return [{ jwk: key.export({ format: "jwk" }) as JWK, kid, algorithms }];
  } catch {
    // Of a kind that is not known here, or damaged: the others may still serve.
    return [];
  }
}
