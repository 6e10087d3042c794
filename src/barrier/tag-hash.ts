/**
 * Tags: found by equality only, so that they need not come back, and are hashed with a key:
 *
 *   stored = base64url(first 16 bytes of HMAC-SHA-256(tagKey, tag in UTF-8)), without padding
 */
import { createHmac, type KeyObject } from "node:crypto";
import { deriveKey } from "./derive.ts";

const TAG_BYTES = 16;

export class TagHash {
  readonly #nameKey: Uint8Array;
  #key: KeyObject | undefined;

  /** @param nameKey - 32 bytes, from which the key of the tags is derived when the first is hashed. */
  constructor(nameKey: Uint8Array) {
    this.#nameKey = nameKey;
  }

  /** 22 characters. */
  hash(tag: string): string {
    this.#key ??= deriveKey(this.#nameKey, "vsec tag mac v1");
    const mac = createHmac("sha256", this.#key).update(tag, "utf8").digest();
    return mac.subarray(0, TAG_BYTES).toString("base64url");
  }
}
