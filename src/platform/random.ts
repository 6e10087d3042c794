import type { Random } from "../base/random.ts";

/** What one call of getRandomValues gives at most (W3C Web Cryptography, section 10.1.1). */
const CALL_BYTES_MAX = 65_536;

/** The operating system's randomness. The global `crypto` gives it without loading node:crypto, which costs a command its start. */
export const systemRandom: Random = {
  bytes(length) {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += CALL_BYTES_MAX) {
      crypto.getRandomValues(bytes.subarray(at, at + CALL_BYTES_MAX));
    }
    return bytes;
  },
};
