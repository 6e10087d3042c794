import { badRequest } from "../../base/errors.ts";
import { field, type Given } from "../../framework/field.ts";
import { findHash, HASH_DEFAULT, HASH_NAMES, type HashAlgorithm } from "./hashes.ts";
import type { RsaScheme } from "./rsa-signature.ts";

/** What sign and verify both take. */
export const SIGNING_FIELDS = {
  urlalgorithm: field.string({ description: "The hash function; wins over hash_algorithm." }),
  hash_algorithm: field.string({
    description: "The hash function. ed25519 keys do not use it.",
    default: HASH_DEFAULT,
    allowed: [...HASH_NAMES, "none"],
  }),
  algorithm: field.string({
    description: "The older name of hash_algorithm.",
    default: HASH_DEFAULT,
    deprecated: true,
  }),
  prehashed: field.bool({ description: "The input is a digest already. ed25519 keys do not use it." }),
  signature_algorithm: field.string({
    description: "Of RSA keys: pss (the default) or pkcs1v15.",
    allowed: ["pss", "pkcs1v15"],
  }),
  marshaling_algorithm: field.string({
    description: "How the signature is written: asn1, or jws as JSON Web Signatures have it.",
    default: "asn1",
    allowed: ["asn1", "jws"],
  }),
  salt_length: field.string({
    description:
      "Of pss: auto for as long as possible (when verifying: any), hash for as long as the hash, or a number of bytes.",
    default: "auto",
  }),
};

/** How inputs are signed. */
export interface SigningOptions {
  /** Null: none. */
  readonly hash: HashAlgorithm | null;
  readonly prehashed: boolean;
  readonly scheme: RsaScheme;
  readonly marshaling: "asn1" | "jws";
}

/** @throws ApiError 400 with Vault's texts. @see reference: transit, sign and verify. */
export function readSigningOptions(given: Given<typeof SIGNING_FIELDS>): SigningOptions {
  const name = given.urlalgorithm || given.hash_algorithm || given.algorithm || HASH_DEFAULT;
  const hash = name === "none" ? null : findHash(name);
  if (hash === undefined) throw badRequest(`invalid hash algorithm ${JSON.stringify(name)}`);
  const marshaling = given.marshaling_algorithm || "asn1";
  if (marshaling !== "asn1" && marshaling !== "jws") {
    throw badRequest(`invalid marshaling type ${JSON.stringify(marshaling)}`);
  }
  const algorithm = given.signature_algorithm || "pss";
  if (algorithm !== "pss" && algorithm !== "pkcs1v15") {
    throw badRequest(`unsupported rsa signature algorithm ${algorithm}`);
  }
  const prehashed = given.prehashed ?? false;
  if (hash === null && !(prehashed && algorithm === "pkcs1v15")) {
    throw badRequest("hash_algorithm=none requires both prehashed=true and signature_algorithm=pkcs1v15");
  }
  const salt = readSalt(given.salt_length || "auto");
  return { hash, prehashed, scheme: { algorithm, salt }, marshaling };
}

/** As numbers, 0 stands for auto and -1 for hash, as in Go. */
function readSalt(text: string): RsaScheme["salt"] {
  const lower = text.toLowerCase();
  if (lower === "auto" || lower === "0") return "auto";
  if (lower === "hash" || lower === "-1") return "hash";
  if (!/^[+-]?\d{1,9}$/.test(text)) {
    throw badRequest(`salt length neither 'auto', 'hash', nor an int: ${text}`);
  }
  const bytes = Number(text);
  if (bytes < 0) throw badRequest(`requested salt length ${bytes} is invalid`);
  return bytes;
}
