/**
 * Values: AES-256-GCM (NIST SP 800-38D).
 *
 *   offset 0   1 byte    format, 1
 *   offset 1   4 bytes   term of the key, big-endian
 *   offset 5   12 bytes  nonce, random
 *   offset 17  n bytes   ciphertext
 *   at the end 16 bytes  tag
 *
 * The associated data are the first five bytes and the entry's place in UTF-8, so neither the header nor the place of a value can
 * change. The place of an entry of the store is its encrypted key, which stands for one plain key, and need not be decrypted for this.
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

/** @throws USAGE for a value longer than {@link VALUE_BYTES_MAX}. */
export function encryptValue(
  { term, key }: TermKey,
  place: string,
  value: Uint8Array,
  random: Random,
): Buffer {
  if (value.length > VALUE_BYTES_MAX) {
    throw new VsecError("USAGE", `a value of ${value.length} bytes is too large to store`);
  }
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  const data = associatedData(term, place);
  cipher.setAAD(data);
  const body = cipher.update(value);
  return Buffer.concat([data.subarray(0, HEADER_BYTES), nonce, body, cipher.final(), cipher.getAuthTag()]);
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
  place: string,
  sealed: Uint8Array,
): Buffer {
  if (sealed.length < VALUE_OVERHEAD_BYTES) throw damagedEntry(place, "it is cut short");
  if (sealed[0] !== FORMAT) throw damagedEntry(place, "its format is not known");
  const term = termIn(sealed);
  const key = keyOf(term);
  if (key === undefined) throw damagedEntry(place, "its key is not in the keyring");
  const nonce = copyOf(sealed, HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(term, place));
  decipher.setAuthTag(copyOf(sealed, -TAG_BYTES));
  const body = decipher.update(copyOf(sealed, HEADER_BYTES + NONCE_BYTES, -TAG_BYTES));
  try {
    // Nothing is left to come in this mode; it is the tag that is looked at.
    decipher.final();
  } catch (cause) {
    throw damagedEntry(place, "its content does not match its key, header or tag", cause);
  }
  return body;
}

function associatedData(term: number, place: string): Buffer {
  const data = Buffer.allocUnsafe(HEADER_BYTES + Buffer.byteLength(place));
  data[0] = FORMAT;
  data.writeUInt32BE(term, 1);
  data.write(place, HEADER_BYTES);
  return data;
}

/** Some of the bytes. The first view of a small array makes it a large one, which costs more than copying it does. */
function copyOf(bytes: Uint8Array, start: number, end?: number): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, start, end);
}
