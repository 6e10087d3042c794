const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Base32 without padding, as authenticator apps take it (RFC 4648 section 6). */
export function encodeBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET[(held << (5 - bits)) & 31];
}

/** Characters of a last group that stand for whole bytes. */
const LAST_GROUP: ReadonlySet<number> = new Set([0, 2, 4, 5, 7]);

/**
 * Decodes base32, in either case, with its padding or without.
 * @throws SyntaxError with Go's text, which names the place and no part of the value.
 */
export function decodeBase32(text: string): Buffer {
  const body = text.toUpperCase().replace(/=+$/, "");
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const [index, char] of [...body].entries()) {
    const value = ALPHABET.indexOf(char);
    if (value === -1) throw new SyntaxError(`illegal base32 data at input byte ${index}`);
    held = (held << 5) | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
    held &= (1 << bits) - 1;
  }
  if (!LAST_GROUP.has(body.length % 8)) {
    throw new SyntaxError(`illegal base32 data at input byte ${body.length}`);
  }
  return Buffer.from(bytes);
}
