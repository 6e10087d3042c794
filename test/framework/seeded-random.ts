import { createHash } from "node:crypto";
import type { Random } from "../../src/base/random.ts";

/** Bytes that follow from a seed: SHA-256 in counter mode. */
export function seededRandom(seed: string): Random {
  let block = 0;
  return {
    bytes(length) {
      const blocks: Buffer[] = [];
      for (let have = 0; have < length; have += 32) {
        blocks.push(createHash("sha256").update(`${seed}:${block++}`).digest());
      }
      return Buffer.concat(blocks).subarray(0, length);
    },
  };
}
