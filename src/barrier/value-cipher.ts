/**
 * Values: AES-256-GCM (NIST SP 800-38D).
 *
 *   offset 0   1 byte    format, 1
 *   offset 1   4 bytes   term of the key, big-endian
 *   offset 5   12 bytes  nonce, random
 *   offset 17  n bytes   ciphertext
 *   at the end 16 bytes  tag
 *
 * The associated data are the first five bytes and the entry's plain key in UTF-8, so neither the header nor the place of a
 * value can change.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";
import { VsecError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { damagedEntry } from "./damage.ts";

const FORMAT = 1;
const HEADER_BYTES = 5;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What encryption adds to a value's length. */
export const VALUE_OVERHEAD_BYTES = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;

/** The longest value: every store takes 32 MiB with what encryption adds. */
export const VALUE_BYTES_MAX = 32 * 1024 * 1024 - VALUE_OVERHEAD_BYTES;

/** A key of the keyring with its number. */
export interface TermKey {
  readonly term: number;
  readonly key: KeyObject;
}

/** An entry's key, as the core knows it and as the store does. */
export interface EntryKey {
  readonly plain: string;
  readonly stored: string;
}

/** @throws USAGE for a value longer than {@link VALUE_BYTES_MAX}. */
export function encryptValue(
  { term, key }: TermKey,
  plainKey: string,
  value: Uint8Array,
  random: Random,
): Buffer {
  if (value.length > VALUE_BYTES_MAX) {
    throw new VsecError("USAGE", `a value of ${value.length} bytes is too large to store`);
  }
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = FORMAT;
  header.writeUInt32BE(term, 1);
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(header, plainKey));
  const body = cipher.update(value);
  return Buffer.concat([header, nonce, body, cipher.final(), cipher.getAuthTag()]);
}

/** The term in a value's header; null when the value is too short to have one, or of another format. */
export function termOf(sealed: Uint8Array): number | null {
  if (sealed.length < VALUE_OVERHEAD_BYTES || sealed[0] !== FORMAT) return null;
  return termIn(sealed);
}

/** Read byte by byte: a view of each value, made for this alone, costs more than all else here. */
function termIn(sealed: Uint8Array): number {
  const byte = (at: number): number => sealed[at] ?? 0;
  return ((byte(1) << 24) | (byte(2) << 16) | (byte(3) << 8) | byte(4)) >>> 0;
}

/**
 * @param keyOf - The key of a term; undefined when there is none.
 * @throws BARRIER_DAMAGED when the value was not written with one of these keys at this place.
 */
export function decryptValue(
  keyOf: (term: number) => KeyObject | undefined,
  place: EntryKey,
  value: Uint8Array,
): Buffer {
  const sealed = asBuffer(value);
  if (sealed.length < VALUE_OVERHEAD_BYTES) throw damagedEntry(place.stored, "it is cut short");
  if (sealed[0] !== FORMAT) throw damagedEntry(place.stored, "its format is not known");
  const key = keyOf(termIn(sealed));
  if (key === undefined) throw damagedEntry(place.stored, "its key is not in the keyring");
  const header = sealed.subarray(0, HEADER_BYTES);
  const nonce = sealed.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(header, place.plain));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const body = decipher.update(sealed.subarray(HEADER_BYTES + NONCE_BYTES, -TAG_BYTES));
  try {
    const rest = decipher.final();
    return rest.length === 0 ? body : Buffer.concat([body, rest]);
  } catch (cause) {
    throw damagedEntry(place.stored, "its content does not match its key, header or tag", cause);
  }
}

function associatedData(header: Buffer, plainKey: string): Buffer {
  return Buffer.concat([header, Buffer.from(plainKey, "utf8")]);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
