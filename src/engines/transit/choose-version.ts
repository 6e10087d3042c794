import { badRequest } from "../../base/errors.ts";
import type { KeyRecord } from "./record.ts";

/**
 * The version that encrypts or signs.
 * @param wanted - 0: the latest.
 * @throws ApiError 400 for one that may not. @see reference: transit, versions.
 */
export function versionToUse(record: KeyRecord, wanted: number, purpose: "encryption" | "signing"): number {
  if (wanted === 0) return record.latestVersion;
  const refused = (why: string): Error => badRequest(`requested version for ${purpose} is ${why}`);
  if (wanted < 0) throw refused("negative");
  if (wanted > record.latestVersion) throw refused("higher than the latest key version");
  if (wanted < Math.max(record.minEncryptionVersion, record.minAvailableVersion)) {
    throw refused("less than the minimum encryption key version");
  }
  // What it made could not be undone. Vault has put such a version away by then, and fails too.
  if (wanted < record.minDecryptionVersion) throw refused("less than the minimum decryption key version");
  return wanted;
}

/** What a ciphertext, a signature or an HMAC says of itself. */
export interface Versioned {
  readonly version: number;
  /** What stands behind the prefix, encoded still. */
  readonly body: string;
}

const PREFIX = "vault:v";

/** `vault:v3:` and the body. */
export function versioned(version: number, body: string): string {
  return `${PREFIX}${version}:${body}`;
}

const TOO_OLD = "ciphertext or signature version is disallowed by policy (too old)";

/**
 * Takes a ciphertext or a signature apart.
 * @param what - Begins the message of a refusal: `invalid ciphertext`.
 * @param tooOld - Said of a version that the key does not decrypt any more.
 * @throws ApiError 400 for a malformed one, and a version that the key does not have or use any more.
 */
export function takeVersioned(record: KeyRecord, text: string, what: string, tooOld = TOO_OLD): Versioned {
  if (!text.startsWith(PREFIX)) throw badRequest(`${what}: no prefix`);
  const rest = text.slice(PREFIX.length);
  const colon = rest.indexOf(":");
  if (colon === -1) throw badRequest(`${what}: wrong number of fields`);
  const digits = rest.slice(0, colon);
  if (!/^[+-]?\d{1,15}$/.test(digits)) throw badRequest(`${what}: version number could not be decoded`);
  // Version 0 is what the first Vaults called version 1.
  const version = Number(digits) || 1;
  if (version > record.latestVersion) throw badRequest(`${what}: version is too new`);
  if (version < Math.max(record.minDecryptionVersion, record.minAvailableVersion)) throw badRequest(tooOld);
  return { version, body: rest.slice(colon + 1) };
}
