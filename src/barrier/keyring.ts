/**
 * The keyring: the keys under which everything else is encrypted, itself encrypted under a key derived from the root key.
 *
 *   offset 0   1 byte    format, 1
 *   offset 1   16 bytes  check of the root key, which tells a wrong key from a damaged keyring
 *   offset 17            the JSON text, encrypted as a value of term 0 at the key `_/keyring`
 */
import { VsecError } from "../base/errors.ts";
import { isJsonObject, type Json, type JsonObject, parseJson } from "../base/json.ts";
import type { Random } from "../base/random.ts";
import { damagedEntry } from "./damage.ts";
import { KEY_BYTES } from "./derive.ts";
import type { KeyringKeys } from "./root-key.ts";
import { decryptValue, encryptValue } from "./value-cipher.ts";

/**
 * Where the keyring and the seal's configuration are stored, unencrypted in name. No encrypted name is shorter than 23
 * characters, so nothing else comes to lie below `_/`.
 */
export const RESERVED_PREFIX = "_/";
export const KEYRING_KEY = "_/keyring";

/** A rotation a day fills this in 27 years. */
export const TERMS_MAX = 10_000;

const FORMAT = 1;
const CHECK_BYTES = 16;
const HEADER_BYTES = 1 + CHECK_BYTES;
const TERM_OF_ROOT = 0;
/** What the four bytes of a value's header hold. */
const TERM_MAX = 2 ** 32 - 1;

export interface KeyTerm {
  /** 1 and up. */
  readonly term: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly installedAt: number;
  /** How many puts the store had seen when the term was installed. */
  readonly putsBefore: number;
}

export interface Keyring {
  readonly nameKey: Uint8Array;
  readonly hashKey: Uint8Array;
  /** In ascending order, at least one; the last is the one to encrypt with. */
  readonly terms: readonly [KeyTerm, ...KeyTerm[]];
}

export function newKeyring(random: Random, now: number, putsBefore: number): Keyring {
  const first = { term: 1, key: random.bytes(KEY_BYTES), installedAt: now, putsBefore };
  return { nameKey: random.bytes(KEY_BYTES), hashKey: random.bytes(KEY_BYTES), terms: [first] };
}

/** The term to encrypt with. */
export function currentTerm(keyring: Keyring): KeyTerm {
  return keyring.terms.at(-1) ?? keyring.terms[0];
}

/** @throws USAGE when the keyring is full. */
export function addTerm(keyring: Keyring, random: Random, now: number, putsBefore: number): Keyring {
  if (keyring.terms.length >= TERMS_MAX) {
    throw new VsecError("USAGE", `the keyring has ${TERMS_MAX} terms and takes no more`);
  }
  const term = currentTerm(keyring).term + 1;
  const added = { term, key: random.bytes(KEY_BYTES), installedAt: now, putsBefore };
  return { ...keyring, terms: [...keyring.terms, added] };
}

export function encryptKeyring({ key, check }: KeyringKeys, keyring: Keyring, random: Random): Buffer {
  const json = JSON.stringify({
    nameKey: base64(keyring.nameKey),
    hashKey: base64(keyring.hashKey),
    terms: keyring.terms.map((item) => ({ ...item, key: base64(item.key) })),
  });
  const body = encryptValue({ term: TERM_OF_ROOT, key }, KEYRING_KEY, Buffer.from(json), random);
  return Buffer.concat([Buffer.of(FORMAT), check, body]);
}

/** @throws SEAL_WRONG_KEY when the keyring is another root key's, BARRIER_DAMAGED when it is not whole. */
export function decryptKeyring({ key, check }: KeyringKeys, sealed: Uint8Array): Keyring {
  if (sealed[0] !== FORMAT || sealed.length <= HEADER_BYTES) {
    throw damagedEntry(KEYRING_KEY, "it is not a keyring of this version");
  }
  // The check is no secret: it lies in the store in clear.
  if (!check.equals(sealed.subarray(1, HEADER_BYTES))) {
    const text =
      "the root key is not this store's: the seal belongs to another store, or one of them was replaced";
    throw new VsecError("SEAL_WRONG_KEY", text);
  }
  const keyOf = (term: number) => (term === TERM_OF_ROOT ? key : undefined);
  const body = decryptValue(keyOf, KEYRING_KEY, sealed.subarray(HEADER_BYTES));
  return decodeKeyring(body.toString("utf8"));
}

function decodeKeyring(text: string): Keyring {
  const json = parseKeyringJson(text);
  const [first, ...rest] = Array.isArray(json.terms) ? json.terms.map(decodeTerm) : [];
  if (first === undefined) throw malformed();
  const terms: Keyring["terms"] = [first, ...rest];
  const ascending = terms.every((item, index) => index === 0 || item.term > (terms[index - 1]?.term ?? 0));
  if (!ascending) throw malformed();
  return { nameKey: decodeKey(json.nameKey), hashKey: decodeKey(json.hashKey), terms };
}

function parseKeyringJson(text: string): JsonObject {
  let json: Json;
  try {
    json = parseJson(text);
  } catch {
    // The parser's message would quote the text, which holds keys.
    throw malformed();
  }
  if (!isJsonObject(json)) throw malformed();
  return json;
}

function decodeTerm(json: Json): KeyTerm {
  if (!isJsonObject(json)) throw malformed();
  const term = decodeCount(json.term);
  if (term === 0 || term > TERM_MAX) throw malformed();
  const { installedAt, putsBefore } = json;
  return {
    term,
    key: decodeKey(json.key),
    installedAt: decodeCount(installedAt),
    putsBefore: decodeCount(putsBefore),
  };
}

function decodeCount(value: Json | undefined): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw malformed();
  return value;
}

function decodeKey(value: Json | undefined): Uint8Array {
  const key = typeof value === "string" ? Buffer.from(value, "base64") : undefined;
  if (key?.length !== KEY_BYTES) throw malformed();
  return key;
}

function malformed(): VsecError {
  return damagedEntry(KEYRING_KEY, "it is not a well-formed keyring");
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
