import {
  constants,
  createHash,
  createHmac,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from "node:crypto";

/** 00 02, at least eight bytes of padding that are not zero, and 00 (RFC 8017 section 7.2.1). */
export const PKCS1_BYTES = 11;
const PADDING_BYTES_MIN = 8;

/** @param plaintext - At most {@link PKCS1_BYTES} shorter than the modulus. */
export function encryptPkcs1(key: KeyObject, plaintext: Uint8Array): Buffer {
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, plaintext);
}

/**
 * Decrypts with implicit rejection: a ciphertext whose padding is wrong gives a text that follows from key and ciphertext, as
 * long as it may be, instead of an error. Who can try ciphertexts of others then learns nothing from it (Bleichenbacher's attack,
 * CVE-2023-46809, for which node:crypto has given this padding up). The padding is looked at without branches that depend on it.
 * @throws Error when the ciphertext is not as long as the modulus, or not below it; both can be seen without the key.
 * @see draft-irtf-cfrg-rsa-guidance section 7, whose form OpenSSL 3.2 has too
 */
export function decryptPkcs1(key: KeyObject, ciphertext: Uint8Array): Buffer {
  const padded = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, ciphertext);
  const stand = standIn(key, ciphertext);
  const { isGood, textAt } = lookAt(padded);
  const start = select(isGood, textAt, padded.length - stand.length);
  const text = Buffer.alloc(padded.length - start);
  for (let index = start; index < padded.length; index += 1) {
    text[index - start] = select(isGood, padded[index] ?? 0, stand.bytes[index] ?? 0);
  }
  padded.fill(0);
  stand.bytes.fill(0);
  return text;
}

// Masks: all bits set for yes, none for no. The numbers are small, and not negative.
const isZero = (number: number): number => ~((number | -number) >> 31);
const isLess = (one: number, other: number): number => (one - other) >> 31;
const select = (mask: number, yes: number, no: number): number => (mask & yes) | (~mask & no);

/** Whether the padding is good, as a mask, and where the text after it begins. */
function lookAt(padded: Buffer): { isGood: number; textAt: number } {
  let isFound = 0;
  let separator = 0;
  for (let index = 2; index < padded.length; index += 1) {
    const isSeparator = isZero(padded[index] ?? 0) & ~isFound;
    separator = select(isSeparator, index, separator);
    isFound |= isSeparator;
  }
  const isLongEnough = ~isLess(separator, 2 + PADDING_BYTES_MIN);
  const isGood = isZero(padded[0] ?? 0) & isZero((padded[1] ?? 0) ^ 2) & isFound & isLongEnough;
  return { isGood, textAt: separator + 1 };
}

/** Candidates for the length of a text that takes another's place. */
const LENGTHS = 128;

/** What takes the place of a text whose padding is wrong: the end, of this length, of as many bytes as the modulus has. */
function standIn(key: KeyObject, ciphertext: Uint8Array): { bytes: Buffer; length: number } {
  const size = ciphertext.length;
  const secret = createHmac("sha256", createHash("sha256").update(privateExponent(key, size)).digest())
    .update(ciphertext)
    .digest();
  const lengths = stretched(secret, "length", LENGTHS * 2);
  const lengthMax = size - 2 - PADDING_BYTES_MIN;
  const bits = 2 ** Math.ceil(Math.log2(lengthMax + 1)) - 1;
  let length = 0;
  for (let index = 0; index < lengths.length; index += 2) {
    const candidate = lengths.readUInt16BE(index) & bits;
    length = select(isLess(candidate, lengthMax), candidate, length);
  }
  return { bytes: stretched(secret, "message", size), length };
}

/** The exponent, as long as the modulus. */
function privateExponent(key: KeyObject, size: number): Buffer {
  const { d = "" } = key.export({ format: "jwk" });
  const bytes = Buffer.from(d, "base64url");
  return Buffer.concat([Buffer.alloc(size - bytes.length), bytes]);
}

/** As many bytes as asked for, from a secret and what they are for. */
function stretched(secret: Buffer, label: string, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let count = 0; count * 32 < length; count += 1) {
    const counter = Buffer.of(count >> 8, count & 0xff);
    const bits = Buffer.of((length * 8) >> 8, (length * 8) & 0xff);
    blocks.push(createHmac("sha256", secret).update(counter).update(label).update(bits).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}
