import { createHmac, timingSafeEqual } from "node:crypto";
import { badRequest } from "../../base/errors.ts";
import { takeVersioned, versioned } from "./choose-version.ts";
import { decoded } from "./fields.ts";
import { findHash, HASH_NAMES, type HashAlgorithm } from "./hashes.ts";
import type { TransitMount } from "./mount.ts";
import type { StoredKey } from "./record.ts";

/** Functions of `hmac` and `hash`: all but SHA-1. */
export const DIGEST_NAMES: readonly string[] = HASH_NAMES.filter((name) => name !== "sha1");

/** @param quoted - Whether the message has the name in quotes. @throws ApiError 400 */
export function digestNamed(name: string, quoted: boolean): HashAlgorithm {
  const hash = DIGEST_NAMES.includes(name) ? findHash(name) : undefined;
  if (hash === undefined) throw badRequest(`unsupported algorithm ${quoted ? JSON.stringify(name) : name}`);
  return hash;
}

const TOO_OLD = "version is too old (disallowed by policy)";

/** @param wanted - The key's version; 0: the latest. @throws ApiError 400 with Vault's texts. */
export async function makeHmac(
  mount: TransitMount,
  key: StoredKey,
  input: Buffer,
  wanted: number,
  hash: HashAlgorithm,
): Promise<string> {
  const { record } = key;
  const number = wanted === 0 ? record.latestVersion : wanted;
  if (number < 0 || number > record.latestVersion) {
    throw badRequest("cannot generate HMAC: version is too new");
  }
  const first = Math.max(record.minEncryptionVersion, record.minAvailableVersion);
  if (number !== record.latestVersion && number < first) throw badRequest(`cannot generate HMAC: ${TOO_OLD}`);
  const version = await mount.versions.get(key, number);
  const hmac = createHmac(hash.node, version.hmacKey).update(input).digest("base64");
  return versioned(number, hmac);
}

/** Whether an HMAC is one of this input by this key. @throws ApiError 400 for a malformed one. */
export async function verifyHmac(
  mount: TransitMount,
  key: StoredKey,
  input: Buffer,
  text: string,
  hash: HashAlgorithm,
): Promise<boolean> {
  const taken = takeVersioned(key.record, text, "invalid HMAC to verify", `cannot verify HMAC: ${TOO_OLD}`);
  const given = decoded(taken.body, "invalid HMAC to verify: unable to decode");
  const version = await mount.versions.get(key, taken.version);
  const expected = createHmac(hash.node, version.hmacKey).update(input).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}
