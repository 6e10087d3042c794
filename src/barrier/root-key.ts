import { type KeyObject, timingSafeEqual } from "node:crypto";
import { VsecError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { deriveBytes, deriveKey, KEY_BYTES } from "./derive.ts";

const CHECK_BYTES = 16;

/** A new store's root key: 32 random bytes. */
export function newRootKey(random: Random): Uint8Array {
  return random.bytes(KEY_BYTES);
}

/**
 * A value that tells the right root key from a wrong one, and nothing else about it.
 * @param label - The store's id in a seal's configuration, "keyring" in the keyring's header.
 * @returns 16 bytes.
 */
export function rootKeyCheck(rootKey: Uint8Array, label: string): Buffer {
  return deriveBytes(rootKey, "vsec root key check v1", label, CHECK_BYTES);
}

/** True when `check` was made by {@link rootKeyCheck} from this key and label. */
export function isRootKey(rootKey: Uint8Array, label: string, check: Uint8Array): boolean {
  if (rootKey.length !== KEY_BYTES || check.length !== CHECK_BYTES) return false;
  return timingSafeEqual(rootKeyCheck(rootKey, label), check);
}

/** What the barrier keeps of the root key: the key of the keyring, and the check in its header. */
export interface KeyringKeys {
  readonly key: KeyObject;
  readonly check: Buffer;
}

/** @throws SEAL_WRONG_KEY when it is not 32 bytes. */
export function keyringKeys(rootKey: Uint8Array): KeyringKeys {
  if (rootKey.length !== KEY_BYTES) {
    throw new VsecError("SEAL_WRONG_KEY", `the seal gave a key of ${rootKey.length} bytes, not ${KEY_BYTES}`);
  }
  return { key: deriveKey(rootKey, "vsec keyring v1"), check: rootKeyCheck(rootKey, "keyring") };
}
