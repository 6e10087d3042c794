import { createHash, timingSafeEqual } from "node:crypto";
import type { HashAlgorithm } from "./hashes.ts";

/*
 * The encoding of RSASSA-PSS (RFC 8017 section 9.1) over a digest, which node:crypto does not take: it hashes what it signs
 * itself, and callers who hash on their own side have only the digest. MGF1 uses the same hash, the trailer is 0xbc.
 */

const TRAILER = 0xbc;
const ZEROS = Buffer.alloc(8);

/** The longest salt for a key; negative: the key is too small for the hash. @param modulusBits - Of the key. */
export function saltBytesMax(hash: HashAlgorithm, modulusBits: number): number {
  return encodedBytes(modulusBits) - hash.bytes - 2;
}

function encodedBytes(modulusBits: number): number {
  return Math.ceil((modulusBits - 1) / 8);
}

/** @param salt - At most {@link saltBytesMax} bytes. @returns The encoded message, as long as the modulus. */
export function encodePss(hash: HashAlgorithm, digest: Buffer, salt: Buffer, modulusBits: number): Buffer {
  const length = encodedBytes(modulusBits);
  const seed = createHash(hash.node).update(ZEROS).update(digest).update(salt).digest();
  const block = Buffer.alloc(length - hash.bytes - 1);
  block[block.length - salt.length - 1] = 0x01;
  salt.copy(block, block.length - salt.length);
  const masked = xor(block, mgf1(hash, seed, block.length));
  masked[0] = (masked[0] ?? 0) & topMask(length, modulusBits);
  return padded(Buffer.concat([masked, seed, Buffer.from([TRAILER])]), Math.ceil(modulusBits / 8));
}

/** @param saltBytes - Null: any. @param encoded - What the signature stands for, as long as the modulus. */
export function verifyPss(
  hash: HashAlgorithm,
  digest: Buffer,
  encoded: Buffer,
  saltBytes: number | null,
  modulusBits: number,
): boolean {
  const length = encodedBytes(modulusBits);
  const message = encoded.subarray(encoded.length - length);
  if (encoded.subarray(0, encoded.length - length).some((byte) => byte !== 0)) return false;
  const blockBytes = length - hash.bytes - 1;
  if (blockBytes < 1 || message[length - 1] !== TRAILER) return false;
  const masked = message.subarray(0, blockBytes);
  const seed = message.subarray(blockBytes, length - 1);
  const mask = topMask(length, modulusBits);
  if (((masked[0] ?? 0) & ~mask & 0xff) !== 0) return false;
  const block = xor(masked, mgf1(hash, seed, blockBytes));
  block[0] = (block[0] ?? 0) & mask;
  const markAt = block.findIndex((byte) => byte !== 0);
  if (markAt === -1 || block[markAt] !== 0x01) return false;
  const salt = block.subarray(markAt + 1);
  if (saltBytes !== null && salt.length !== saltBytes) return false;
  const expected = createHash(hash.node).update(ZEROS).update(digest).update(salt).digest();
  return timingSafeEqual(expected, seed);
}

/** The bits of the first byte that may be set. */
function topMask(length: number, modulusBits: number): number {
  return 0xff >> (8 * length - (modulusBits - 1));
}

/** RFC 8017 appendix B.2.1. */
function mgf1(hash: HashAlgorithm, seed: Buffer, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let counter = 0; counter * hash.bytes < length; counter += 1) {
    const suffix = Buffer.alloc(4);
    suffix.writeUInt32BE(counter);
    blocks.push(createHash(hash.node).update(seed).update(suffix).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function xor(left: Uint8Array, right: Uint8Array): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}

function padded(bytes: Buffer, length: number): Buffer {
  return Buffer.concat([Buffer.alloc(length - bytes.length), bytes]);
}
