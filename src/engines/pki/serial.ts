import type { Random } from "../../base/random.ts";

const SERIAL_BYTES = 20;

/** A serial number: 20 random bytes, below 2^159 and not zero (RFC 5280 section 4.1.2.2). */
export function newSerial(random: Random): Buffer {
  const bytes = Buffer.from(random.bytes(SERIAL_BYTES));
  // The first bit would be a sign. The second one set keeps the length, which people compare by eye.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

/** As answers show it: `3a:0f:…`. @param hex - An even number of digits. */
export function colonSerial(hex: string): string {
  return (hex.match(/../g) ?? []).join(":");
}

/** As it is stored, and part of a path: `3a-0f-…`. */
export function hyphenSerial(hex: string): string {
  return (hex.match(/../g) ?? []).join("-");
}

const SERIAL = /^[0-9a-f]{2}(?:[:-]?[0-9a-f]{2}){0,63}$/i;

/** Reads a serial number in either form, in upper or lower case. @returns Hex; null for what is none. */
export function parseSerial(text: string): string | null {
  const trimmed = text.trim();
  return SERIAL.test(trimmed) ? trimmed.replace(/[:-]/g, "").toLowerCase() : null;
}
